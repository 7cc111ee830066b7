/** Every command, in the order the help lists them: the way an incident is worked through. */
import type { RegisterCommand } from '../command-helpers.ts';

export const commands: readonly RegisterCommand[] = [];
