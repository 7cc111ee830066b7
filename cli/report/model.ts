/** What a report is made of: the shapes that the command collects and the page's script reads. Times are ms after `origin_ms`. */
import type { Analysis } from '../../queries/index.ts';

/** [from, to, why it ended (null: not logged, or still open), open at the end of the log]. */
export type Segment = readonly [from: number, to: number, reason: string | null, open: boolean];

/** [from, to, whether the broker's keepalive ended the connection at its end]: a bridge that sends messages need not ping. */
export type PingGap = readonly [from: number, to: number, fatal: boolean];

/** Messages per bin, from `from` on. */
export interface Rate {
  readonly from: number;
  readonly bin: number; // ms
  readonly series: { readonly [name in RateName]?: readonly number[] };
}

/** Offered to the bridge by its NanoMQ, received by the broker, sent by the broker to the bridge. */
export type RateName = 'offered' | 'up' | 'down';

/** What is drawn for one bridge of one run. */
export interface ReportBridge {
  readonly bridge: string;
  readonly client: string | null;
  readonly keepalive_s: number | null;
  readonly findings: readonly string[];
  readonly disconnects: number;
  readonly bridge_segments: readonly Segment[];
  readonly broker_segments: readonly Segment[];
  /** Times without PINGREQ longer than 1.5 × keepalive, within a connection. */
  readonly ping_gaps: readonly PingGap[];
  readonly rate: Rate | null;
  readonly marks: number; // of the packed marks, those that are of this bridge
}

export interface ReportRun {
  readonly id: string;
  readonly kind: 'observed' | 'replay';
  readonly label: string;
  readonly seed: number | null;
  readonly findings: readonly string[];
  readonly disconnects: number;
  readonly bridges: readonly ReportBridge[];
  /** Bridges that the run has; more than `bridges` if not all are drawn. */
  readonly bridges_all: number;
  /** Marks of one kind this near to each other are drawn as one, ms; 0: each is drawn. */
  readonly bin: number;
}

export interface ReportSource {
  readonly path: string;
  readonly product: string;
  readonly node: string;
  readonly version: string | null;
  readonly layout: string;
  readonly lines: number;
  readonly records: number;
  readonly continuations: number;
  readonly unparsed: number;
  readonly skipped: number;
  readonly first: string | null;
  readonly last: string | null;
  readonly damage: string | null;
}

/** Lines of one file around those that prove a finding, in order: [line number, time or null, text]. */
export interface Excerpt {
  readonly path: string;
  readonly lines: readonly (readonly [line: number, at: number | null, text: string])[];
}

export interface LogGap {
  readonly source: string;
  readonly kind: string; // silence, truncated, throttled
  readonly from: number | null;
  readonly to: number | null;
  readonly seconds: number | null;
  readonly line: number;
  readonly count: number;
}

/** The parts of `verify --json` that the page shows; what a newer version adds is passed over. */
export interface Verdicts {
  readonly baseline: {
    readonly reproduced: boolean;
    readonly k: number;
    readonly n: number;
    readonly cause: string | null;
    readonly cycles: number | null;
    readonly period_s: number | null;
    readonly lost_share: number | null;
    readonly reason: string;
    readonly observed: {
      readonly cause: string | null;
      readonly keepalive_disconnects: number;
      readonly period_s: number | null;
    };
  };
  readonly variants: readonly {
    readonly name: string;
    readonly verdict: string;
    readonly k: number;
    readonly n: number;
    readonly reason: string;
    readonly causes: readonly string[];
    readonly new_symptoms: readonly string[];
    readonly keepalive_disconnects: number | null;
    readonly period_s: number | null;
    readonly lost_share: number | null;
    readonly notes: readonly string[];
  }[];
  readonly fidelity: { readonly observed: number; readonly inferred: number; readonly assumed: number };
  readonly seeds: readonly number[];
}

/** A grid of settings and in how many seeds the symptom showed: one or two axes, a cell for each combination that was run. */
export interface HeatMap {
  readonly axes: readonly { readonly key: string; readonly values: readonly string[] }[];
  readonly cells: readonly {
    /** Index into the values of each axis. */
    readonly at: readonly number[];
    readonly k: number;
    readonly n: number;
  }[];
}

export interface ReportData {
  readonly schema: 1;
  readonly title: string;
  readonly version: string;
  readonly created: string; // ISO 8601
  readonly origin_ms: number; // ms since the epoch
  readonly analysis: Analysis;
  readonly sources: readonly ReportSource[];
  readonly excerpts: readonly Excerpt[];
  readonly log_gaps: readonly LogGap[];
  readonly runs: readonly ReportRun[]; // the observed one first
  /** Replays of the database that are not drawn. */
  readonly runs_left_out: number;
  readonly verdicts: Verdicts | null;
  readonly sweep: HeatMap | null;
  /** Paths of the marks' sources; `Marks.source` counts them. */
  readonly mark_sources: readonly string[];
  /** Share of the marks whose log line is in the page, 0 to 1: one that must stay small has not all of them. */
  readonly lines_kept: number;
}

/**
 * The marks of all runs and bridges, one after the other in the order of `runs` and their `bridges`, by time within each.
 * `time` and `line` are differences to the mark before.
 */
export interface Marks {
  readonly kind: readonly number[]; // index into KINDS
  readonly time: readonly number[]; // ms
  readonly source: readonly number[];
  readonly line: readonly number[];
  readonly count: readonly number[]; // events drawn as this one
}
