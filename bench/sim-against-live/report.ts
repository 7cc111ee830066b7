/** The comparison as a page: a table, and what is to be known of it. */

import { type Comparison, isMet } from './compare.ts';
import { REASONS, TEXT } from './text.ts';

export function reportOf(comparisons: readonly Comparison[], speed: number): string {
  const met = comparisons.filter(isMet).length;
  const missed = comparisons.filter((comparison) => !isMet(comparison));
  const reasons = missed.map(
    ({ scenario }) => `- \`${scenario.name}\`: ${REASONS[scenario.name] ?? 'not explained yet.'}`,
  );
  return `# Simulated and on real sockets

The same bridge, broker, traffic and faults in virtual time and over QUIC on loopback, ${speed} times as fast as real time. Made by
\`node dist/bench/sim-against-live.js --out docs/LIVE.md\`; times of a live run differ a little from run to run.

${met} of ${comparisons.length} scenarios meet all of: the same findings, the same number of cycles, no instant (bridge connected,
bridge disconnected, connection closed by the broker) further apart than 300 ms or 1 % of the incident's length.

${table(comparisons)}
${reasons.length > 0 ? `\n## Not met\n\n${reasons.join('\n')}\n` : ''}
${TEXT}`;
}

function table(comparisons: readonly Comparison[]): string {
  const rows = comparisons.map((comparison) => {
    const { scenario, simulated, live, apartS, allowedS } = comparison;
    const { name, nanomq, emqx, durationS } = scenario;
    return [
      name,
      `${nanomq} / ${emqx}`,
      `${durationS} s`,
      pair(simulated.findings.join(', ') || 'none', live.findings.join(', ') || 'none'),
      pair(String(simulated.cycles), String(live.cycles)),
      `${pair(String(simulated.delivered.up), String(live.delivered.up))}, ${pair(String(simulated.delivered.down), String(live.delivered.down))}`,
      apartS === null ? 'numbers differ' : `${Math.round(apartS * 1000)} ms of ${Math.round(allowedS * 1000)}`,
      isMet(comparison) ? 'yes' : '**no**',
    ];
  });
  const head = ['scenario', 'NanoMQ / EMQX', 'length', 'findings', 'cycles', 'delivered up, down', 'apart', 'met'];
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** One word if both say the same. */
function pair(simulated: string, live: string): string {
  return simulated === live ? simulated : `sim ${simulated}; live ${live}`;
}
