/** Which collector wrapped a stream, told from its first lines. */
import type { Envelope } from '../../record.ts';
import { compose, dockerJson, dockerStamps } from './docker.ts';
import { journalJson } from './journal-json.ts';
import { cri, kubectl } from './kubernetes.ts';
import { isoSyslog, journalFull, rfc3164, rfc5424 } from './syslog.ts';
import { COLLECTOR_NOTE, type Unwrapped, type Wrapper } from './wrapper.ts';

/** Those that ask for more come first: some lines fit several. */
const BEFORE_RFC3164: readonly Wrapper[] = [dockerJson, journalJson, rfc5424];
const BEHIND_RFC3164: readonly Wrapper[] = [journalFull, isoSyslog, cri, kubectl, compose, dockerStamps];

/** Of the lines, so many must fit: a log about another log holds a few such lines too. One misfit is damage or a cut. */
const MIN_SHARE = 0.9;

/** Wrappers that nearly all lines fit, the most special first. `writtenUntilUs`: no line was written later, as far as is known. */
export function fittingWrappers(lines: readonly string[], writtenUntilUs: number | null = null): Wrapper[] {
  const counted = lines.filter((line) => line !== '' && !COLLECTOR_NOTE.test(line));
  return [...BEFORE_RFC3164, rfc3164(writtenUntilUs), ...BEHIND_RFC3164]
    .filter((wrapper) => fits(wrapper, counted))
    .map((wrapper) => {
      if (!wrapper.mayHoldStamps) return wrapper;
      const inner = counted.flatMap((line) => wrapper.unwrap(line)?.text ?? []);
      return fits(
        dockerStamps,
        inner.filter((line) => line !== ''),
      )
        ? nested(wrapper, dockerStamps)
        : wrapper;
    });
}

function fits(wrapper: Wrapper, lines: readonly string[]): boolean {
  let fitting = 0;
  let misfits = 0;
  for (const line of lines) {
    if (wrapper.unwrap(line) !== null) fitting += 1;
    else if (!(wrapper.indents && /^\s/.test(line))) misfits += 1;
  }
  return misfits <= 1 ? fitting > misfits : fitting >= (fitting + misfits) * MIN_SHARE;
}

/** The outer collector names the line; what only the inner one knows is added. */
function nested(outer: Wrapper, inner: Wrapper): Wrapper {
  return {
    ...outer,
    title: `${outer.title} and ${inner.title}`,
    unwrap(text): Unwrapped | null {
      const first = outer.unwrap(text);
      const second = first === null ? null : inner.unwrap(first.text);
      if (first === null || second === null) return first;
      const envelope: Envelope = { ...second.envelope, ...first.envelope };
      return { ...second, envelope, prefixLength: first.prefixLength + second.prefixLength };
    },
  };
}
