/** What a rule says: a named cause with proof, doubt and advice. Ids never change meaning. */

export type Certainty = 'must' | 'may';

export interface Evidence {
  readonly source: string; // path as ingested
  readonly line: number;
  readonly text: string; // the line as it stands in the file, once `readTexts` of a story was called
}

export interface Advice {
  readonly change: string;
  readonly why: string;
  /** True where the change was seen to remove this cause on real brokers (measured.md §3). */
  readonly knownFix: boolean;
  /** What the advice rests on. */
  readonly source: string;
}

export interface Finding {
  readonly id: string;
  readonly title: string;
  readonly certainty: Certainty;
  readonly bridgeId: string;
  readonly clientId: string | null;
  readonly attribution: 'named' | 'only-bridge' | 'ambiguous';
  readonly first: number | null; // µs, common clock
  readonly last: number | null;
  readonly count: number; // connections that show it
  readonly summary: string; // one or two sentences with this incident's numbers
  readonly evidence: readonly Evidence[];
  readonly ruledOut: readonly { readonly id: string; readonly why: string }[];
  /** Of `keepalive-cycle-undetermined`: the causes that these logs leave open. */
  readonly candidates?: readonly string[];
  readonly missing: readonly string[];
  readonly advice: readonly Advice[];
}
