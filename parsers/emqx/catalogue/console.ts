/**
 * What a node prints to its terminal around its log (spec emqx-logs.md section 3.8, rows of kind C; section 4, run_erl). Such lines
 * have no time and no level.
 */
import type { EmqxTextRow } from '../catalogue-row.ts';

/** What all console lines start with; cheaper than the patterns for the many lines that are none. */
export const CONSOLE_START =
  /^(?:EMQ|Listener |Failed to start |Start(?:ing)? |WARNING: |ERROR: |Using an |License |={5})/;

export const consoleRows: readonly EmqxTextRow[] = [
  {
    event: 'listener_started',
    pattern: /^Listener (?<listener>\S+) on (?<address>\S+) started\.?\s*$/,
    since: '5.0.0',
  },
  {
    event: 'listener_started',
    pattern: /^Start (?<listener>\S+) listener on (?<address>\S+) successfully\.?\s*$/,
    until: '4.4.x',
  },
  {
    event: 'listener_stopped',
    pattern: /^Listener (?<listener>\S+) on (?<address>\S+) stopped\.?\s*$/,
    since: '5.0.0',
  },
  {
    event: 'listener_disabled',
    pattern: /^Listener (?<listener>\S+) is NOT started due to: disabled\.?\s*$/,
    since: '5.0.0',
  },
  {
    event: 'listener_failed',
    pattern:
      /^Failed to start (?:listener )?(?<listener>\S+) (?:listener )?on (?<address>\S+?): (?<reason>[\s\S]+?)(?:\.|(?<!\s))\s*$/,
    fields: { reason: 'reason' },
    severity: 'error',
  },
  {
    event: 'node_starting',
    pattern: /^Starting EMQX(?: Enterprise)? (?<version>\d\S*)\s*$/,
    since: '5.0.0',
  },
  { event: 'node_starting', pattern: /^Starting emqx on node (?<node>\S+)\s*$/, until: '4.4.x' },
  { event: 'node_started', pattern: /^EMQ ?X(?: Enterprise| Broker| Edge)? v?(?<version>\d\S*) is running now!\s*$/ },
  {
    event: 'config_from_environment',
    pattern: /^(?<variable>EMQX_\w+) \[(?<key>[\w.]+)\]: /,
    since: '5.0.0',
    means:
      'a setting that an environment variable overrides; its value may be a secret and is not kept as an attribute',
  },
  {
    event: 'license_evaluation',
    pattern: /^Using an evaluation license limited to (?<limit>\d+) concurrent /,
    fields: { limit: 'int' },
    severity: 'warn',
  },
  {
    event: 'license_expired',
    pattern: /^License has been expired for (?<days>\d+) days/,
    fields: { days: 'int' },
    severity: 'warn',
  },
  {
    event: 'console_warning',
    onlyBeforeLog: true,
    pattern: /^WARNING: (?<message>[\s\S]*?)(?<=^WARNING: |\S)\s*$/,
    severity: 'warn',
  },
  {
    event: 'console_error',
    onlyBeforeLog: true,
    pattern: /^ERROR: (?<message>[\s\S]*?)(?<=^ERROR: |\S)\s*$/,
    severity: 'error',
  },
  {
    event: 'console_log_opened',
    pattern: /^===== (?:LOGGING STARTED|ALIVE) /,
    means: 'run_erl began a file, or says that it is alive',
  },
  { event: 'console_rule', onlyBeforeLog: true, pattern: /^={5,}\s*$/, means: 'a line that only separates' },
];
