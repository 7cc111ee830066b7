/**
 * Speed and memory of the live driver: `node dist/bench/live.js [--rounds 5] [--seconds 60] [--only transport,round-trip,machines,held]`.
 * Both ends are processes of their own on loopback. Medians of the rounds, as Markdown tables.
 */
import { parseArgs } from 'node:util';
import { heldConnections, throughMachines } from './live/machines.ts';
import { compareRoundTrips, compareTransports } from './live/transports.ts';

const PARTS: Readonly<Record<string, (rounds: number, seconds: number) => Promise<string>>> = {
  transport: compareTransports,
  'round-trip': compareRoundTrips,
  machines: throughMachines,
  held: heldConnections,
};

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '60' },
    only: { type: 'string', default: Object.keys(PARTS).join(',') },
  },
});
for (const name of values.only.split(',')) {
  const part = PARTS[name];
  if (!part) throw new Error(`${name}: one of ${Object.keys(PARTS).join(', ')}`);
  process.stdout.write(`${await part(Number(values.rounds), Number(values.seconds))}\n\n`);
}
