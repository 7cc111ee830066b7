/**
 * What EMQX logs (spec emqx-logs.md section 3, and the real logs of the corpus): event name and the fields that become attributes.
 *
 * Only these fields are kept, because only they are the same in text, JSON and trace files; the rest is in the record's body.
 */
import { accessRows } from './catalogue/access.ts';
import { bootRows } from './catalogue/boot.ts';
import { connectionRows } from './catalogue/connection.ts';
import { consoleRows } from './catalogue/console.ts';
import { otpRows, otpTextRows } from './catalogue/otp.ts';
import { packetRows } from './catalogue/packets.ts';
import { quicRows } from './catalogue/quic.ts';
import { sessionRows } from './catalogue/session.ts';
import { systemRows } from './catalogue/system.ts';
import { text4Rows } from './catalogue/text-4.ts';
import type { EmqxCatalogueRow, EmqxTextRow } from './catalogue-row.ts';

export type { EmqxCatalogueRow, EmqxTextRow } from './catalogue-row.ts';

/** Of rows that fit a line, the first is taken. */
export const emqxCatalogue: readonly EmqxCatalogueRow[] = [
  ...packetRows,
  ...connectionRows,
  ...accessRows,
  ...sessionRows,
  ...quicRows,
  ...systemRows,
  ...bootRows,
  ...otpRows,
];

export const emqxTextCatalogue: readonly EmqxTextRow[] = [...text4Rows, ...otpTextRows];

/** Lines without time and level; they are records of their own. */
export const emqxConsoleCatalogue: readonly EmqxTextRow[] = consoleRows;
