/** Public face of the parsers: bytes to lines, lines to layout, lines to records; and records' events back to text. */

export { createParser } from './create-parser.ts';
export { type Detection, detectLayout, MAX_DETECT_LINES } from './detect/detect-layout.ts';
export { type EmqxCatalogueRow, type EmqxTextRow, emqxCatalogue, emqxTextCatalogue } from './emqx/catalogue.ts';
export { type EmqxHint, type EmqxReleaseRange, emqxReleaseRange, hintOfRecord } from './emqx/release-hints.ts';
export { type LinePosition, LineSplitter, MAX_LINE_CHARS } from './input/line-splitter.ts';
export { nanomqCatalogue } from './nanomq/catalogue/index.ts';
export type { CatalogueRow, CatalogueSheet } from './nanomq/catalogue-row.ts';
export { type ReleaseRange, releaseRange, type SeenStatement } from './nanomq/fingerprint.ts';
export { EVENT_MEANINGS } from './nanomq/meanings.ts';
export { RELEASES } from './nanomq/releases.ts';
export { renderNanomqMessage } from './nanomq/render.ts';
export type * from './record.ts';
export { MAX_BODY_CHARS } from './record.ts';
