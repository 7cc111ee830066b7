/** Completion scripts for shells, made of the commands themselves: what the help lists is what is completed. */

/** The part of commander's command that a script needs. */
export interface CommandTree {
  name(): string;
  description(): string;
  readonly commands: readonly CommandTree[];
  readonly options: readonly {
    readonly short?: string;
    readonly long?: string;
    readonly description: string;
    readonly flags: string;
    readonly required: boolean; // takes a value
    readonly optional: boolean; // may take one
    readonly argChoices?: readonly string[];
  }[];
}

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** A script to be read by the shell; words that are no option of ours are completed as files. */
export function completionScript(program: CommandTree, shell: Shell): string {
  return { bash, zsh, fish }[shell](program);
}

function bash(program: CommandTree): string {
  const name = program.name();
  const cases = program.commands.map(
    (command) => `    ${command.name()}) words=${quoted(wordsOf(command).join(' '))} ;;`,
  );
  return lines(
    `# bash: eval "$(${name} completion bash)"`,
    `_${name}() {`,
    '  local word="$2" words=""',
    '  COMPREPLY=()',
    '  if [ "$COMP_CWORD" -eq 1 ]; then',
    `    COMPREPLY=($(compgen -W ${quoted([...program.commands.map((one) => one.name()), ...wordsOf(program)].join(' '))} -- "$word"))`,
    '    return',
    '  fi',
    `  case "\${COMP_WORDS[1]}" in`,
    ...cases,
    '  esac',
    // What is no option is a file, which readline completes itself (-o default).
    '  case "$word" in -*) COMPREPLY=($(compgen -W "$words" -- "$word")) ;; esac',
    '}',
    `complete -o default -F _${name} ${name}`,
  );
}

function zsh(program: CommandTree): string {
  const name = program.name();
  const described = (word: string, text: string) => quoted(`${word.replaceAll(':', '\\:')}:${firstSentence(text)}`);
  const option = (one: CommandTree['options'][number], word: string) =>
    quoted(
      `${word}[${firstSentence(one.description).replace(/[[\]:]/g, '\\$&')}]${one.required || one.optional ? ':value:_files' : ''}`,
    );
  const cases = program.commands.map((command) => {
    const options = command.options.flatMap((one) => words(one).map((word) => option(one, word)));
    return `    ${command.name()}) _arguments ${[...options, quoted('*:file:_files')].join(' ')} ;;`;
  });
  return lines(
    `#compdef ${name}`,
    `# zsh: ${name} completion zsh > "\${fpath[1]}/_${name}"`,
    `_${name}() {`,
    '  local -a commands',
    `  commands=(${program.commands.map((one) => described(one.name(), one.description())).join(' ')})`,
    `  if (( CURRENT == 2 )); then _describe command commands; return; fi`,
    '  local command=$words[2]',
    '  shift words; (( CURRENT-- ))',
    '  case $command in',
    ...cases,
    '  esac',
    '}',
    `if [ "$funcstack[1]" = "_${name}" ]; then _${name} "$@"; else compdef _${name} ${name}; fi`,
  );
}

function fish(program: CommandTree): string {
  const name = program.name();
  const flags = (one: CommandTree['options'][number]) =>
    [
      one.long ? `-l ${one.long.slice(2)}` : '',
      one.short ? `-s ${one.short.slice(1)}` : '',
      one.required ? '-r' : '',
      `-d ${fishQuoted(firstSentence(one.description))}`,
    ]
      .filter((part) => part !== '')
      .join(' ');
  return lines(
    `# fish: ${name} completion fish > ~/.config/fish/completions/${name}.fish`,
    ...program.commands.map(
      (command) =>
        `complete -c ${name} -n __fish_use_subcommand -f -a ${command.name()} -d ${fishQuoted(firstSentence(command.description()))}`,
    ),
    ...program.options.map((one) => `complete -c ${name} -n __fish_use_subcommand ${flags(one)}`),
    ...program.commands.flatMap((command) =>
      command.options.map(
        (one) => `complete -c ${name} -n '__fish_seen_subcommand_from ${command.name()}' ${flags(one)}`,
      ),
    ),
  );
}

function words(option: CommandTree['options'][number]): string[] {
  return [option.short, option.long].filter((word) => word !== undefined);
}

function wordsOf(command: CommandTree): string[] {
  return [...command.options.flatMap(words), '--help'];
}

function firstSentence(text: string): string {
  return text.split(/[;.](?:\s|$)/)[0]!.trim();
}

/** In single quotes, for bash and zsh. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function fishQuoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}

function lines(...text: string[]): string {
  return `${text.join('\n')}\n`;
}
