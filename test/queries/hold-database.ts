/** Child process: opens the database of its first argument for writing, says so, and keeps writing until it is killed. */
import { Database } from '../../queries/index.ts';

const database = await Database.open(process.argv[2]!, 'write');
for (let run = 0; ; run += 1) {
  await database.run("INSERT INTO runs (run_id, kind, label) VALUES ($1, 'observed', 'held')", [`run-${run}`]);
  if (run === 0) console.log('open');
}
