/**
 * Child process: ingests the logs of its further arguments into the database of the first, and kills itself on the way:
 * `bytes:N` as soon as N bytes are read, `ms:N` after that time, `never`.
 */
import { Database, ingest } from '../../queries/index.ts';

const [file, moment, ...paths] = process.argv.slice(2);
const [unit, amount] = moment!.split(':');
const end = () => process.kill(process.pid, 'SIGKILL');

if (unit === 'ms') setTimeout(end, Number(amount));
const database = await Database.open(file!, 'write');
await ingest(database, {
  paths,
  onProgress: (progress) => {
    if (unit === 'bytes' && progress.bytesDone >= Number(amount)) end();
  },
});
database.close();
console.log('done');
