/** Which product and layout a stream of lines has, from its first lines. */
import { SEVERITY_OF_LEVEL, splitFrame } from '../emqx/frame.ts';
import { searchAllFiles } from '../nanomq/catalogue-search.ts';
import { splitNanomqHeader } from '../nanomq/header.ts';
import type { Layout, Product } from '../record.ts';

export interface Detection {
  readonly layout: Layout;
  readonly product: Product;
  /** One sentence for the reader: which line decided, and by what. */
  readonly evidence: string;
}

/** Lines looked at. */
export const MAX_DETECT_LINES = 200;

/** Layout of a stream, or null if none of its first lines starts a record of any layout. */
export function detectLayout(lines: readonly string[]): Detection | null {
  let fallback: Detection | null = null;
  const count = Math.min(lines.length, MAX_DETECT_LINES);
  for (let i = 0; i < count; i++) {
    const found = detectLine(lines[i]!, i + 1);
    if (found === null) continue;
    // A text log has only lower-case levels, but a trace file can start with such lines too: a trace line further on decides.
    if (found.layout !== 'emqx-text') return fallback === null || found.layout === 'emqx-trace' ? found : fallback;
    fallback ??= found;
  }
  return fallback ?? detectSyslog(lines, count);
}

/** Shorter statements are too likely to be somebody else's words. */
const MIN_LITERAL_CHARS = 16;

/** NanoMQ's messages without a header, as it hands them to syslog: told by what they say, if nothing else is there. */
function detectSyslog(lines: readonly string[], count: number): Detection | null {
  for (let i = 0; i < count; i++) {
    const found = searchAllFiles(lines[i]!, null);
    if (found === null || found.literalChars < MIN_LITERAL_CHARS) continue;
    return {
      layout: 'nanomq-syslog',
      product: 'nanomq',
      evidence: `line ${i + 1} is NanoMQ's message ${found.event} without a header`,
    };
  }
  return null;
}

function detectLine(text: string, lineNo: number): Detection | null {
  const nanomq = splitNanomqHeader(text);
  if (nanomq !== null) {
    return nanomq.func === null
      ? {
          layout: 'nanomq-file',
          product: 'nanomq',
          evidence: `line ${lineNo} has NanoMQ's header with source ${nanomq.file}:${nanomq.line}`,
        }
      : {
          layout: 'nanomq-console',
          product: 'nanomq',
          evidence: `line ${lineNo} has NanoMQ's header with source ${nanomq.file}:${nanomq.line} and function ${nanomq.func}`,
        };
  }
  const frame = splitFrame(text);
  if (frame !== null && frame !== 'bad') {
    if (SEVERITY_OF_LEVEL[frame.level] === undefined) {
      if (!/@\S* .*?msg: |@\S* msg: /.test(text.slice(frame.bodyAt))) return null;
      return {
        layout: 'emqx-trace',
        product: 'emqx',
        evidence: `line ${lineNo} has EMQX's trace tag [${frame.level}]`,
      };
    }
    return {
      layout: 'emqx-text',
      product: 'emqx',
      evidence: `line ${lineNo} has EMQX's time and level [${frame.level}]`,
    };
  }
  return detectJson(text, lineNo);
}

function detectJson(text: string, lineNo: number): Detection | null {
  const brace = text.indexOf('{');
  if (brace === -1 || !text.includes('"time"')) return null;
  let object: { readonly [key: string]: unknown };
  try {
    object = JSON.parse(text.slice(brace));
  } catch {
    return null;
  }
  if (typeof object !== 'object' || object === null || typeof object.level !== 'string' || !('time' in object))
    return null;
  if (SEVERITY_OF_LEVEL[object.level] === undefined) return null;
  return typeof object.meta === 'object' && object.meta !== null
    ? {
        layout: 'emqx-trace-json',
        product: 'emqx',
        evidence: `line ${lineNo} is a JSON object with time, level and meta`,
      }
    : { layout: 'emqx-json', product: 'emqx', evidence: `line ${lineNo} is a JSON object with time and level` };
}
