/**
 * What records share, each under a 64-bit hash of its content: shapes, contexts and strings. The same content has the same id in
 * every database and on every thread, so parts ingested apart can be put together.
 */
import { hash64 } from '../ids.ts';
import { type Id, idOf } from './record-batch.ts';

/** Row of `shapes`; see schema.sql. */
export interface ShapeRow {
  readonly severity: string;
  readonly file: string | null;
  readonly line: number | null;
  readonly func: string | null;
  readonly tag: string | null;
  readonly event: string | null;
  readonly ts_precision_us: number;
  readonly flags: number; // bits, see FLAGS
  readonly continuations: number;
  readonly packet: string | null;
  readonly qos: number | null;
  readonly reason: string | null;
  readonly time_format: string | null;
  readonly time_shift_us: number;
  readonly head: string | null;
  readonly body_parts: readonly string[] | null;
  readonly body_slots: readonly number[] | null;
  readonly attribute_parts: readonly string[] | null;
  readonly attribute_slots: readonly number[] | null;
  readonly separator: string;
}

export interface ContextRow {
  readonly thread: string | null;
  readonly client_id: string | null;
  readonly bridge_id: string | null;
  readonly peer: string | null;
  readonly envelope: string | null; // JSON
}

/** Definitions that were not handed on yet, with their ids. */
export interface Definitions {
  readonly shapes: [bigint, ShapeRow][];
  readonly contexts: [bigint, ContextRow][];
  readonly strings: [bigint, string][];
}

/** Ids remembered of each sort; beyond that the memory starts anew, and definitions are handed on again. A shape's key is its whole row. */
const MAX_REMEMBERED = 20_000;
const MAX_SHAPES_REMEMBERED = 5_000;

export class Dictionary {
  private readonly shapes = new Map<string, Id>();
  private readonly contexts = new Map<string, Id>();
  private readonly strings = new Map<string, Id>();
  private fresh: Definitions = empty();

  shape(row: ShapeRow): Id {
    const key = JSON.stringify(row);
    return known(this.shapes, key) ?? this.add(this.shapes, key, (id) => this.fresh.shapes.push([id, row]));
  }

  context(row: ContextRow): Id {
    const key = `${row.thread ?? '\u0000'}\u001f${row.client_id ?? '\u0000'}\u001f${row.bridge_id ?? '\u0000'}\u001f${row.peer ?? '\u0000'}\u001f${row.envelope ?? ''}`;
    return known(this.contexts, key) ?? this.add(this.contexts, key, (id) => this.fresh.contexts.push([id, row]));
  }

  string(text: string): Id {
    return known(this.strings, text) ?? this.add(this.strings, text, (id) => this.fresh.strings.push([id, text]));
  }

  /** What is new since the last call. */
  take(): Definitions {
    const { fresh } = this;
    this.fresh = empty();
    return fresh;
  }

  /** Forgets everything: what was handed on has been rolled back. */
  clear(): void {
    this.shapes.clear();
    this.contexts.clear();
    this.strings.clear();
    this.fresh = empty();
  }

  private add(ids: Map<string, Id>, key: string, define: (id: bigint) => void): Id {
    if (ids.size >= (ids === this.shapes ? MAX_SHAPES_REMEMBERED : MAX_REMEMBERED)) ids.clear();
    const hash = hash64(key);
    const id = idOf(hash);
    // The key may be a part of a long line, which must not stay alive with it.
    ids.set(Buffer.from(key).toString(), id);
    define(hash);
    return id;
  }
}

function known(ids: Map<string, Id>, key: string): Id | undefined {
  return ids.get(key);
}

function empty(): Definitions {
  return { shapes: [], contexts: [], strings: [] };
}
