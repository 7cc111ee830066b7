/**
 * Draws the grammars of the parsers into `docs/grammars/`: `npm run diagrams`. A test holds the files to the grammars.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ISerializedGast } from 'chevrotain';
import { packetProductions } from '../parsers/emqx/packet-grammar.ts';
import { termProductions } from '../parsers/emqx/term-grammar.ts';
import { printfProductions } from '../parsers/nanomq/printf-format.ts';
import { nanomqConfProductions } from '../parsers/nanomq-conf/grammar.ts';
import { choice, loop, nonTerminal, optional, type Part, sequence, svgOf, terminal } from './railroad.ts';

interface Children {
  readonly definition?: readonly ISerializedGast[];
  readonly separator?: ISerializedGast;
}

/** A token whose label is not its name is a literal. */
interface Word {
  readonly name: string;
  readonly label: string;
  readonly pattern?: string;
}

interface Grammar {
  readonly name: string;
  readonly title: string;
  readonly source: string;
  readonly reads: string;
  readonly productions: () => ISerializedGast[];
}

const GRAMMARS: readonly Grammar[] = [
  {
    name: 'packet',
    title: 'EMQX packet strings',
    source: 'parsers/emqx/packet-grammar.ts',
    reads: '`PUBACK(Q0, R0, D0, PacketId=7, ReasonCode=0)`',
    productions: packetProductions,
  },
  {
    name: 'term',
    title: 'Erlang terms',
    source: 'parsers/emqx/term-grammar.ts',
    reads: '`{shutdown,#{cause => frame_too_large,limit => 1048576}}`',
    productions: termProductions,
  },
  {
    name: 'printf',
    title: "NanoMQ's format strings",
    source: 'parsers/nanomq/printf-format.ts',
    reads: '`Send pingreq (sock%p)(%dms)`',
    productions: printfProductions,
  },
  {
    name: 'nanomq-conf',
    title: 'nanomq.conf',
    source: 'parsers/nanomq-conf/grammar.ts',
    reads:
      '`bridges.mqtt.emqx { server = "mqtt-quic://10.0.0.1:14567", keepalive = 30s }`, and whatever is no such thing',
    productions: nanomqConfProductions,
  },
];

/** Names and contents of all files of the folder. */
export function grammarFiles(): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const grammar of GRAMMARS) {
    const diagrams = grammar.productions().map((rule) => ({ title: nameOf(rule), part: partOf(rule) }));
    files.set(`${grammar.name}.svg`, svgOf(grammar.title, diagrams));
  }
  files.set('README.md', readme());
  return files;
}

function readme(): string {
  const parts = [
    '# grammars',
    '',
    'What the four grammars of the parsers read, drawn from the grammars themselves by `npm run diagrams`; a test fails if a picture',
    'is older than its grammar. Round boxes are words of the text, square ones are rules.',
    '',
  ];
  for (const { name, title, source, reads, productions } of GRAMMARS) {
    parts.push(`## ${title}`, '', `[${source}](../../${source}) reads ${reads}.`, '', `![${title}](${name}.svg)`, '');
    parts.push('| word | is |', '|---|---|', ...wordsOf(productions()), '');
  }
  return `${parts.join('\n').trimEnd()}\n`;
}

function wordsOf(rules: readonly ISerializedGast[]): string[] {
  const words = new Map<string, string>();
  const visit = (node: ISerializedGast): void => {
    if (node.type === 'Terminal') {
      const { name, label, pattern } = node as unknown as Word;
      if (label === name && pattern !== undefined) words.set(name, pattern);
    }
    const { definition = [], separator } = node as unknown as Children;
    if (separator !== undefined) visit(separator);
    for (const child of definition) visit(child);
  };
  for (const rule of rules) visit(rule);
  return [...words].map(([name, pattern]) => `| ${name} | \`${pattern.replaceAll('|', '\\|')}\` |`);
}

function partOf(node: ISerializedGast): Part {
  const { definition = [], separator } = node as unknown as Children;
  const inner = () => sequence(definition.map(partOf));
  switch (node.type) {
    case 'Terminal':
      return terminal((node as unknown as Word).label);
    case 'NonTerminal':
      return nonTerminal(nameOf(node));
    case 'Option':
      return optional(inner());
    case 'Alternation':
      return choice(definition.map(partOf));
    case 'RepetitionMandatory':
      return loop(inner(), null);
    case 'RepetitionMandatoryWithSeparator':
      return loop(inner(), partOf(separator!));
    case 'Repetition':
      return optional(loop(inner(), null));
    case 'RepetitionWithSeparator':
      return optional(loop(inner(), partOf(separator!)));
    default:
      return inner();
  }
}

function nameOf(node: ISerializedGast): string {
  return (node as unknown as { readonly name?: string }).name ?? node.type;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = path.resolve('docs/grammars');
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of grammarFiles()) writeFileSync(path.join(folder, name), text);
  console.log(`${folder}: ${[...grammarFiles().keys()].join(', ')}`);
}
