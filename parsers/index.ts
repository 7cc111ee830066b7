/** Public face of the parsers: bytes to lines, lines to layout, lines to records; and records' events back to text. */

export { createParser } from './create-parser.ts';
export { type Detection, detectLayout, MAX_DETECT_LINES } from './detect/detect-layout.ts';
export { detectStream, MAX_WRAPPED_DETECT_LINES, refusalOf, type StreamDetection } from './detect/detect-stream.ts';
export { startsLikeRecord } from './detect/start-shape.ts';
export { type EmqxCatalogueRow, type EmqxTextRow, emqxCatalogue, emqxTextCatalogue } from './emqx/catalogue.ts';
export { type EmqxHint, type EmqxReleaseRange, emqxReleaseRange, hintOfRecord } from './emqx/release-hints.ts';
export { type LinePosition, LineSplitter, type LineTaker, MAX_LINE_CHARS } from './input/line-splitter.ts';
export {
  createStreamParser,
  MAX_PARTS,
  type StreamParser,
  type StreamPart,
  type StreamSink,
} from './input/stream-parser.ts';
export { ENCODING_HEAD_BYTES, type Encoding, encodingOf, Utf16Decoder } from './input/utf16-decoder.ts';
export { nanomqCatalogue } from './nanomq/catalogue/index.ts';
export type { CatalogueRow, CatalogueSheet } from './nanomq/catalogue-row.ts';
export { type CodeTable, codeName } from './nanomq/code-tables.ts';
export { type ReleaseRange, releaseRange, type SeenStatement } from './nanomq/fingerprint.ts';
export { EVENT_MEANINGS } from './nanomq/meanings.ts';
export { RELEASES } from './nanomq/releases.ts';
export { renderNanomqMessage, renderNanomqStatement } from './nanomq/render.ts';
export { LineIndex, type LinePlace } from './nanomq-conf/line-index.ts';
export { parseNanomqConf } from './nanomq-conf/read-conf.ts';
export {
  itemsOf,
  type LoadInclude,
  type PlainValue,
  plainValue,
  type Setting,
  type SettingGroup,
  type SettingList,
  type SettingValue,
  settingAt,
  settingsOf,
} from './nanomq-conf/settings.ts';
export type * from './nanomq-conf/tree.ts';
export type * from './record.ts';
export { MAX_BODY_CHARS } from './record.ts';
export { decimal } from './slots/ascii.ts';
export {
  type Shape,
  type SlottedRecord,
  type Source,
  slotText,
  sourceText,
  type Template,
  toLogRecord,
} from './slots/shape.ts';
export type { ShapeStore } from './slots/shape-memo.ts';
export { SlotMap } from './slots/slot-map.ts';
export type { SlottedSink } from './slots/slotted-parser.ts';
