/** Lines that prove a finding: found by conditions over an analysis's temporary tables, and read as they stand in the file. */
import { type Database, TableAppender } from '../database.ts';
import type { Evidence } from './finding.ts';

interface FoundLine {
  readonly sourceId: bigint;
  readonly line: number;
  readonly event: string;
  readonly evidence: { -readonly [Member in keyof Evidence]: Evidence[Member] };
}

/** A text is put together from several tables, so the texts of all lines are read in one pass, when all are known. */
export class EvidenceLines {
  private readonly database: Database;
  private unread: FoundLine[] = [];

  constructor(database: Database) {
    this.database = database;
  }

  /** The first `limit` lines by time; `where` is SQL over the table (alias e). Their texts are empty until `readTexts`. */
  async find(
    table: 'run_client_states' | 'client_events' | 'run_broker_events' | 'run_broker_ends',
    where: string,
    values: (string | number)[],
    limit: number,
  ): Promise<Evidence[]> {
    const rows = await this.database.all<{ source: string; source_id: bigint | number; line: number; event: string }>(
      `SELECT source, source_id, line_no AS line, event FROM ${table} e WHERE ${where} ORDER BY time, source, line_no LIMIT ${limit}`,
      values,
    );
    return rows.map(({ source, source_id, line, event }) => {
      const evidence = { source, line, text: '' };
      this.unread.push({ sourceId: BigInt(source_id), line, event, evidence });
      return evidence;
    });
  }

  async readTexts(): Promise<void> {
    const { database, unread } = this;
    this.unread = [];
    if (unread.length === 0) return;
    await database.run(
      'CREATE OR REPLACE TEMP TABLE evidence_lines (source_id UBIGINT, line_no INTEGER, event VARCHAR)',
    );
    const appender = await database.appender('evidence_lines', 'temp');
    for (let from = 0; from < unread.length; from += TableAppender.chunkRows) {
      const part = unread.slice(from, from + TableAppender.chunkRows);
      appender.append([part.map((one) => one.sourceId), part.map((one) => one.line), part.map((one) => one.event)]);
    }
    appender.close();
    // Two threads can share a line of a console log, so the event tells which of them is meant.
    const rows = await database.all<{ key: string; text: string }>(
      `SELECT concat_ws(' ', source_id, line_no, event) AS key, split_part(head || body, chr(10), 1) AS text
       FROM records SEMI JOIN evidence_lines USING (source_id, line_no, event)`,
    );
    const texts = new Map<string, string>();
    for (const { key, text } of rows) if (!texts.has(key)) texts.set(key, text);
    for (const { sourceId, line, event, evidence } of unread)
      evidence.text = texts.get(`${sourceId} ${line} ${event}`) ?? '';
  }
}
