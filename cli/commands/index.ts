/** Every command, in the order the help lists them: the way an incident is worked through. */
import type { RegisterCommand } from '../command-helpers.ts';
import * as analyze from './analyze.ts';
import * as bridge from './bridge.ts';
import * as broker from './broker.ts';
import * as demo from './demo.ts';
import * as ingest from './ingest.ts';
import * as query from './query.ts';
import * as rebuild from './rebuild.ts';
import * as replay from './replay.ts';
import * as verify from './verify.ts';

export const commands: readonly RegisterCommand[] = [
  ingest,
  analyze,
  query,
  rebuild,
  replay,
  verify,
  broker,
  bridge,
  demo,
].map((command) => command.register);
