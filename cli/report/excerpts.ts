/** The lines that prove a finding, with the lines around them. */
import { type AnalyzedFinding, type Database, OBSERVED } from '../../queries/index.ts';
import type { Excerpt } from './model.ts';

/** Lines shown before and after each. */
export const CONTEXT_LINES = 6;
/** Limits of a page: evidence lines with their surroundings, characters of a line. */
const MAX_EVIDENCE = 600;
const MAX_TEXT = 2000;

/** @param origin ms since the epoch that the times count from */
export async function collectExcerpts(
  database: Database,
  findings: readonly AnalyzedFinding[],
  origin: number,
): Promise<Excerpt[]> {
  const wanted = findings.flatMap((finding) => finding.evidence).slice(0, MAX_EVIDENCE);
  if (wanted.length === 0) return [];
  const paths = JSON.stringify(wanted.map((line) => line.source));
  const lines = JSON.stringify(wanted.map((line) => line.line));
  await database.run(
    `CREATE OR REPLACE TEMP TABLE report_lines AS
     SELECT DISTINCT s.source_id, s.path, unnest(generate_series(w.line - ${CONTEXT_LINES}, w.line + ${CONTEXT_LINES}))::INTEGER AS line_no
     FROM (SELECT unnest($1::JSON::VARCHAR[]) AS path, unnest($2::JSON::INTEGER[]) AS line) w
     JOIN sources s ON s.path = w.path JOIN endpoints n USING (endpoint_id) WHERE n.run_id = $3`,
    [paths, lines, OBSERVED],
  );
  const rows = await database.all<{ path: string; line: number; at: number | null; text: string | null }>(
    `SELECT w.path, r.line_no AS line, epoch_us(r.ts) + coalesce(c.offset_us, 0) AS at, left(r.head || r.body, ${MAX_TEXT}) AS text
     FROM records r JOIN report_lines w USING (source_id, line_no) JOIN sources s USING (source_id) LEFT JOIN clocks c USING (endpoint_id)
     UNION ALL
     SELECT w.path, u.line_no, NULL, left(u.text, ${MAX_TEXT}) FROM unparsed u JOIN report_lines w USING (source_id, line_no)
     ORDER BY 1, 2`,
  );
  const excerpts = new Map<string, [number, number | null, string][]>();
  for (const row of rows) {
    const of = excerpts.get(row.path) ?? [];
    // A record of several lines is shown as they stand in the file.
    for (const [no, text] of (row.text ?? '').split('\n').entries())
      of.push([row.line + no, row.at === null || no > 0 ? null : Math.round(row.at / 1000) - origin, text]);
    excerpts.set(row.path, of);
  }
  return [...excerpts].map(([file, texts]) => ({ path: file, lines: texts }));
}
