/** One run of a verdict, as a thread gets it: plain data in, plain data out. */
import type { Database } from '../queries/index.ts';
import type { Cassette } from './cassette.ts';
import type { Incident } from './incident.ts';
import { dropRun, type RunRequest, type RunResult, runReplay } from './run.ts';
import { EVERYTHING, showsEverything } from './visibility.ts';

export type RunJob = Omit<
  RunRequest,
  'cassette' | 'brief' | 'signal' | 'interrupted' | 'onRecord' | 'onProgress' | 'visible'
> & {
  /** Also measure the run as logs like those of the incident would show it. */
  readonly asLogged: boolean;
};

export interface BaselineResult extends RunResult {
  /** Absent for a run that was not asked for it. */
  readonly seen?: Incident;
}

export async function runJob(
  database: Database,
  cassette: Cassette,
  { asLogged, ...request }: RunJob,
  ways: Pick<RunRequest, 'signal' | 'interrupted'> = {},
): Promise<BaselineResult> {
  const run = async (changes: Partial<RunRequest>): Promise<RunResult> => {
    const result = await runReplay(database, { ...request, cassette, brief: true, ...ways, ...changes });
    await dropRun(database, result.runId);
    await database.run('CHECKPOINT'); // frees what the run took
    return result;
  };
  const result = await run({});
  if (!asLogged) return result;
  const visible = cassette.header.visible ?? EVERYTHING;
  // A live run does not come a second time: it is compared as it is.
  if (showsEverything(visible) || request.live) return { ...result, seen: result.incident };
  const asSeen = await run({ visible });
  return { ...result, seen: asSeen.incident };
}
