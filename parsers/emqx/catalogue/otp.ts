/**
 * What the runtime logs about processes, supervisors and applications (spec emqx-logs.md section 1.6), on one line or as a block.
 *
 * Reports whose body is a list of keys are rows of keys; the others have patterns.
 */
import type { EmqxCatalogueRow, EmqxTextRow } from '../catalogue-row.ts';

const CHILD = { supervisor: 'printed', child: 'printed', child_pid: 'printed' } as const;
const CRASH = {
  initial_call: 'printed',
  process: 'printed',
  registered_name: 'text',
  process_label: 'printed',
  reason: 'crash_reason',
} as const;

export const otpRows: readonly EmqxCatalogueRow[] = [
  {
    event: 'otp_supervisor_report',
    msgs: [],
    keys: ['supervisor', 'errorContext'],
    fields: {
      supervisor: 'printed',
      errorContext: ['text', 'context'],
      reason: 'crash_reason',
      offender: 'child',
    },
  },
  {
    event: 'otp_supervisor_progress',
    msgs: [],
    keys: ['supervisor', 'started'],
    fields: { supervisor: 'printed', started: 'child' },
  },
  {
    event: 'otp_application_started',
    msgs: [],
    keys: ['application', 'started_at'],
    fields: { application: 'text', started_at: ['text', 'node'] },
  },
  {
    event: 'otp_application_stopped',
    msgs: [],
    keys: ['application', 'exited'],
    fields: { application: 'text', exited: ['crash_reason', 'reason'], type: ['text', 'restart_type'] },
  },
];

// Blanks at the end are looked for only behind what is none: `\s*$` at every place of a long run of them would be quadratic.
export const otpTextRows: readonly EmqxTextRow[] = [
  {
    event: 'otp_crash_report',
    pattern:
      /^\s*crasher: initial call: (?<initial_call>.*?), pid: (?<process>[^,]*), registered_name: (?<registered_name>\[\]|[^,]*)(?:, process_label: (?<process_label>.*?))?, (?<exception>error|exit|throw): (?<reason>[\s\S]*?), ancestors: /,
    fields: CRASH,
  },
  {
    event: 'otp_crash_report',
    pattern:
      /^\s*crasher:\n\s+initial call: (?<initial_call>[^\n]*)\n\s+pid: (?<process>[^\n]*)\n\s+registered_name: (?<registered_name>[^\n]*)(?:\n\s+process_label: (?<process_label>[^\n]*))?\n\s+exception (?<exception>error|exit|throw): (?<reason>[\s\S]*?)\n {4}ancestors: /,
    fields: CRASH,
  },
  // A crash report that was cut before its reason.
  {
    event: 'otp_crash_report',
    pattern: /^\s*crasher:(?:\s+initial call: (?<initial_call>[^,\n]*)(?=[,\n]|$))?/,
    fields: CRASH,
  },
  {
    event: 'otp_generic_server_terminated',
    pattern: /^Generic server (?<process>.+?) terminating\. Reason: (?<reason>[\s\S]*?)\. Last message: /,
    fields: { process: 'printed', reason: 'crash_reason' },
  },
  {
    event: 'otp_generic_server_terminated',
    pattern:
      /^(?:\*\* )?Generic server (?<process>.+?) terminating(?:[\s\S]*?\n\*\* Reason for termination ==\s*\n?(?:\*\* )?(?<reason>[\s\S]*?)(?:\n\*\* |$))?/,
    fields: { process: 'printed', reason: 'crash_reason' },
  },
  {
    event: 'otp_state_machine_terminated',
    pattern:
      /^State machine (?<process>.+?) terminating\. Reason: (?<reason>[\s\S]*?)\. (?:Stack|Last event|Queued events|Postponed events|State): /,
    fields: { process: 'printed', reason: 'crash_reason' },
  },
  {
    event: 'otp_state_machine_terminated',
    pattern:
      /^(?:\*\* )?State machine (?<process>.+?) terminating(?:[\s\S]*?\n\*\* Reason for termination = (?:error:|exit:|throw:)?(?<reason>[\s\S]*?)(?:\n\*\* |$))?/,
    fields: { process: 'printed', reason: 'crash_reason' },
  },
  {
    event: 'otp_supervisor_report',
    pattern:
      /^Supervisor: (?<supervisor>.+?)\. Context: (?<context>\w+)\. Reason: (?<reason>[\s\S]*?)\. Offender: id=(?<child>.+?),(?:pid=(?<child_pid>[^,]+?)|nb_children=\d+)(?:\.|(?<!\s))\s*$/,
    fields: { ...CHILD, reason: 'crash_reason' },
  },
  {
    event: 'otp_supervisor_progress',
    pattern: /^Supervisor: (?<supervisor>.+?)\. Started: id=(?<child>.+),pid=(?<child_pid>[^,]+?)(?:\.|(?<!\s))\s*$/,
    fields: CHILD,
  },
  {
    event: 'otp_application_started',
    pattern: /^Application: (?<application>\w+)\. Started at: (?<node>\S+?)\.?\s*$/,
  },
  {
    event: 'otp_application_stopped',
    pattern: /^Application: (?<application>\w+)\. Exited: (?<reason>[\s\S]*?)\. Type: (?<restart_type>\w+)\.?\s*$/,
    fields: { reason: 'crash_reason' },
  },
  // The last message of a process without a supervisor; not in the spec, seen in real logs of 4.4 to 6.2.
  {
    event: 'otp_process_error',
    pattern:
      /^Error in process (?<process><[\d.]+>)(?: on node (?<node>\S+))? with exit value:[\s,]*(?<reason>[\s\S]*?)(?<![\s,])[\s,]*$/,
    fields: { process: 'printed', reason: 'crash_reason' },
  },
  {
    event: 'log_handler_mode',
    pattern: /^Handler (?<handler>\S+) switched from\s+(?<from_mode>\w+) to (?<to_mode>\w+) mode/,
    fields: { handler: 'printed' },
  },
  {
    event: 'log_handler_flushed',
    pattern: /^Handler (?<handler>\S+) flushed (?<events>\d+) log events/,
    fields: { handler: 'printed', events: 'int' },
    means: 'so many log lines are lost',
  },
  { event: 'log_handler_restarted', pattern: /^Handler (?<handler>\S+) restarted/, fields: { handler: 'printed' } },
  // Load alarms of the runtime, and the stop of listeners and nodes; not in the spec, seen in real logs of 4.4 to 6.2.
  {
    event: 'otp_alarm_set',
    pattern: /^\s*alarm_handler: \{set,\{?(?=[\s\S]*\}\s*$)(?<name>[^,]+?)(?:,|(?<!\})\}+\s*$)/,
    fields: { name: 'printed' },
  },
  {
    event: 'otp_alarm_cleared',
    pattern: /^\s*alarm_handler: \{clear,(?<name>[\s\S]+?)\}\s*$/,
    fields: { name: 'printed' },
  },
  { event: 'listener_stopped', pattern: /^(?<listener>[\w-]+:[\w:-]+) stopped on (?<address>\S+?)(?<![,\s])[,\s]*$/ },
  { event: 'node_stopping', pattern: /^SIG(?:TERM|INT|HUP|QUIT) received - shutting down/ },
];
