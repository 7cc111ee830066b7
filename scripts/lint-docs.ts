/** Writes docs/LINT.md from the rules themselves: `npm run lint-docs`. A test holds the page to the rules. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { LINT_RULES, type LintRule } from '../queries/lint/index.ts';

/** The whole page. */
export function lintPage(): string {
  return `${HEAD}\n${LINT_RULES.map(sectionOf).join('\n')}`;
}

const HEAD = `# lint

What \`bridgetrace lint\` looks for in a nanomq.conf. Written by \`npm run lint-docs\` from \`queries/lint\`; a test holds the page to the rules.

    bridgetrace lint nanomq.conf --nanomq 0.23.6
    bridgetrace lint etc/*.conf --format sarif > lint.sarif
    bridgetrace lint - < nanomq.conf

- **Forms**: HOCON as NanoMQ reads it, and the older \`bridge.mqtt.NAME.keepalive=60\`; the text tells which (\`--syntax\` overrules it).
  Included files are read from the working folder, as NanoMQ does, else from the folder of the file that names them.
- **Release**: with \`--nanomq\` the settings are read as that release reads them, and its own defects count. Without it a finding names
  the releases that it holds for, and rules about defects of a release are left out, which standard error says.
- **Secrets**: values of keys named like a password, secret, token or credential, and what stands before the @ of an address, are
  printed as \`******\` in every format.
- **Exit code**: 0 nothing but notes, 1 an error or a warning, 2 called wrongly, 4 a file that cannot be read.
- **JSON** (\`--json\`): \`{ "schema": 1, "files": [ { "file", "syntax", "release", "bridges": [], "findings": [ { "rule", "level", "title", "message",
  "file", "line", "column", "end_line", "end_column", "text", "related": [], "releases", "leads_to", "suggestion", "advice", "source" } ],
  "rules_left_out", "findings_not_listed" } ] }\`. Lines and columns count from 1, columns in UTF-16 units, the end is exclusive.
- **SARIF** 2.1.0 (\`--format sarif\`): for code hosts and editors.
- **Limits**: 1,048,576 characters, 64 levels of brackets, 10 levels and 100 files of includes, 1,000 findings a file.
- Keys outside of \`system\`, \`mqtt\`, \`log\`, \`sqlite\` and \`bridges\` are not checked.

"Leads to" is a finding of \`bridgetrace analyze\`; \`bridgetrace explain FINDING\` says more.
Sources name the pages of the model of NanoMQ's bridge (configuration, logs, state machine), NanoMQ's files, standards, and measurements on
real brokers with the number of the incident.
`;

function sectionOf(rule: LintRule): string {
  const facts = [
    rule.level,
    `NanoMQ ${rangeOf(rule)}`,
    ...(rule.needsRelease ? ['only with `--nanomq`'] : []),
    ...(rule.leadsTo === null ? [] : [`leads to \`${rule.leadsTo}\``]),
  ];
  return `## ${rule.id}\n\n${rule.title}. ${sentence(facts.join(' · '))}\n\nDo: ${rule.advice}\n\nSource: ${rule.source}.\n`;
}

const sentence = (text: string): string => `*${text}*`;

function rangeOf({ from, to }: LintRule): string {
  if (from === undefined && to === undefined) return 'all releases';
  if (from === undefined) return `up to ${to}`;
  return to === undefined ? `from ${from}` : `${from}–${to}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const file = path.resolve('docs/LINT.md');
  writeFileSync(file, lintPage());
  console.log(`${file}: ${LINT_RULES.length} rules`);
}
