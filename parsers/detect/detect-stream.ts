/** What wraps a stream, and the layout of each service in it, from its first lines. */
import { fittingWrappers } from '../input/envelope/find-wrapper.ts';
import { stripColourEnds, type Wrapper } from '../input/envelope/wrapper.ts';
import type { Envelope, Product } from '../record.ts';
import { type Detection, detectLine, detectNumbered, MAX_DETECT_LINES, type NumberedLine } from './detect-layout.ts';

/** Lines of a wrapped stream that are looked at: a journal holds other programs' lines too. */
export const MAX_WRAPPED_DETECT_LINES = 2_000;

/** NanoMQ's name in syslog; its lines have no header there (spec nanomq-logs.md section 1.1). */
const NANOMQ_SYSLOG_IDENT = 'nng-nanomq';

export interface StreamDetection {
  readonly wrapper: Wrapper | null;
  /** Of the first service that writes records. */
  readonly detection: Detection;
  readonly service: string;
  /** Services seen in the first lines, '' if the wrapper names none. */
  readonly services: ReadonlyMap<string, Detection>;
}

/**
 * Null if no line starts a record of the product (of either, if none is given). `writtenUntilUs`, the time of the file, µs, gives
 * stamps without a year their year.
 */
export function detectStream(
  head: readonly string[],
  product?: Product,
  writtenUntilUs: number | null = null,
): StreamDetection | null {
  const first = head.slice(0, MAX_DETECT_LINES);
  for (const wrapper of fittingWrappers(first, writtenUntilUs)) {
    const found = detectWrapped(head.slice(0, MAX_WRAPPED_DETECT_LINES), wrapper, product);
    if (found !== null) return found;
  }
  const plain = first.map((text, index) => ({ lineNo: index + 1, text: stripColourEnds(text) }));
  return choose(null, new Map([['', plain]]), product);
}

/** Why a stream is no log, for the reader; what `detectStream` returns null for. */
export function refusalOf(head: readonly string[], product?: Product): string {
  if (head.length === 0 || head.every((line) => line === '')) return 'empty';
  const other = product === undefined ? null : detectStream(head);
  if (other !== null) return `a log of ${other.detection.product}`;
  const first = head.slice(0, MAX_DETECT_LINES);
  const binary = first.filter((line) => /[\0-\x08\x0e-\x1a\ufffd]/.test(line)).length;
  if (binary * 2 > first.length) return 'binary data';
  const wrapper = fittingWrappers(first)[0];
  const behind = wrapper === undefined ? '' : `, behind ${wrapper.title}`;
  const looked = Math.min(head.length, wrapper === undefined ? MAX_DETECT_LINES : MAX_WRAPPED_DETECT_LINES);
  return `no header of NanoMQ or EMQX in the first ${looked === 1 ? 'line' : `${looked} lines`}${behind}`;
}

/** Whether all lines of the service are messages of NanoMQ without a header, unless one says otherwise. */
export function isNanomqSyslog(envelope: Envelope): boolean {
  const { collector, service } = envelope;
  return service === NANOMQ_SYSLOG_IDENT && (collector === 'syslog' || collector === 'journald');
}

/** As `detectLine`, for a line that was wrapped. */
export function detectWrappedLine(
  text: string,
  lineNo: number,
  envelope: Envelope | undefined,
  wrapper: Wrapper | null,
): Detection | null {
  const found =
    detectLine(text, lineNo) ?? (envelope !== undefined && isNanomqSyslog(envelope) ? syslog(lineNo) : null);
  return found === null ? null : behind(found, wrapper);
}

function detectWrapped(
  lines: readonly string[],
  wrapper: Wrapper,
  product: Product | undefined,
): StreamDetection | null {
  const services = new Map<string, NumberedLine[]>();
  const headless = new Map<string, number>();
  for (const [index, line] of lines.entries()) {
    const unwrapped = wrapper.unwrap(line);
    if (unwrapped === null) continue;
    const { envelope } = unwrapped;
    const service = envelope.service ?? '';
    if (isNanomqSyslog(envelope) && !headless.has(service)) headless.set(service, index + 1);
    const numbered = { lineNo: index + 1, text: stripColourEnds(unwrapped.text) };
    const known = services.get(service);
    if (known === undefined) services.set(service, [numbered]);
    else known.push(numbered);
  }
  return choose(wrapper, services, product, headless);
}

function choose(
  wrapper: Wrapper | null,
  services: ReadonlyMap<string, readonly NumberedLine[]>,
  product: Product | undefined,
  headless: ReadonlyMap<string, number> = new Map(),
): StreamDetection | null {
  const found = new Map<string, Detection>();
  for (const [service, lines] of services) {
    const ofSyslog = headless.get(service);
    const byLines = detectNumbered(lines, product);
    // Messages without a header are better told by the program's name than by what they say.
    const isNamed =
      ofSyslog !== undefined && product !== 'emqx' && (byLines?.layout ?? 'nanomq-syslog') === 'nanomq-syslog';
    const detection = isNamed ? syslog(ofSyslog) : byLines;
    if (detection === null) continue;
    found.set(service, behind(detection, wrapper));
  }
  const [first] = found;
  if (first === undefined) return null;
  return { wrapper, service: first[0], detection: first[1], services: found };
}

function syslog(lineNo: number): Detection {
  const evidence = `line ${lineNo} is from the program ${NANOMQ_SYSLOG_IDENT}, which has no header in syslog`;
  return { layout: 'nanomq-syslog', product: 'nanomq', evidence };
}

function behind(detection: Detection, wrapper: Wrapper | null): Detection {
  return wrapper === null ? detection : { ...detection, evidence: `${detection.evidence}, behind ${wrapper.title}` };
}
