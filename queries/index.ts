/** Public face of the queries: the database, ingest, analysis, SQL. */
export { type Analysis, type AnalyzedCycle, type AnalyzedFinding, type AnalyzedSession, analyze } from './analyze.ts';
export { Database, packageRoot, type Row, SCHEMA_VERSION, type SqlValue } from './database.ts';
export { refreshDerived } from './derive/refresh.ts';
export { zoneOffsetUs } from './derive/zone.ts';
export { ADVICE } from './diagnosis/advice.ts';
export { DEFECTS } from './diagnosis/defects.ts';
export type { Advice, Certainty, Evidence, Finding } from './diagnosis/finding.ts';
export type { Rule } from './diagnosis/rule.ts';
export { diagnose, RULES } from './diagnosis/rules.ts';
export { type BridgeStory, loadStories, type Session } from './diagnosis/story.ts';
export * from './errors.ts';
export { type IngestOptions, OBSERVED } from './ingest/examine.ts';
export { INTERRUPTED_LABEL, type IngestedSource, type IngestResult, ingest } from './ingest/ingest.ts';
export { RecordWriter } from './ingest/record-writer.ts';
export {
  bindParameters,
  type NamedQuery,
  namedQueries,
  type Parameters,
  type QueryResult,
  resolveQuery,
  runQuery,
  writeParquet,
} from './query.ts';
export { compareReleases } from './release-order.ts';
export { isoTime } from './time.ts';
