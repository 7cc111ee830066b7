import assert from 'node:assert/strict';
import { copyFileSync, existsSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { loadDriver } from '../../queries/driver.ts';
import {
  bindParameters,
  Database,
  DatabaseError,
  EnvironmentError,
  namedQueries,
  runQuery,
  SCHEMA_VERSION,
  SqlError,
} from '../../queries/index.ts';
import { start } from './children.ts';
import { memory, scratch } from './support.ts';

/** A database that was opened once, and closed. */
async function fresh(t: TestContext): Promise<string> {
  const file = path.join(scratch(t), 'incident.duckdb');
  (await Database.open(file, 'write')).close();
  return file;
}

/** What `open` throws in both modes must carry this code. */
async function refused(file: string, code: string, modes: readonly ('read' | 'write')[] = ['read', 'write']) {
  const errors: DatabaseError[] = [];
  for (const mode of modes) {
    await assert.rejects(Database.open(file, mode), (error) => {
      assert.ok(error instanceof DatabaseError, String(error));
      assert.equal(error.code, code, `${mode}: ${error.message}`);
      assert.ok(error.message.includes(file), error.message);
      assert.ok(error.hint);
      errors.push(error);
      return true;
    });
  }
  return errors;
}

describe('opening a database', () => {
  it('makes tables and views that all answer', async (t) => {
    const database = await memory(t);
    const views = await database.all<{ view_name: string }>(
      'SELECT view_name FROM duckdb_views() WHERE NOT internal ORDER BY view_name',
    );
    assert.ok(views.length >= 10);
    for (const { view_name } of views) assert.deepEqual(await database.all(`FROM ${view_name}`), [], view_name);
    for (const { name, sql } of namedQueries())
      assert.deepEqual(await database.all(sql, bindParameters(name, {})), [], name);
  });

  it('opens again what it made, and keeps what was in it', async (t) => {
    const file = await fresh(t);
    const first = await Database.open(file, 'write');
    await first.run("INSERT INTO runs (run_id, kind) VALUES ('r1', 'observed')");
    first.close();
    for (const mode of ['read', 'write'] as const) {
      const again = await Database.open(file, mode);
      assert.deepEqual(await again.all('SELECT run_id FROM runs'), [{ run_id: 'r1' }]);
      assert.deepEqual(await again.all('SELECT version FROM schema_info'), [{ version: SCHEMA_VERSION }]);
      again.close();
    }
  });

  it('says that there is none, and makes none, when a missing one is to be read', async (t) => {
    const file = path.join(scratch(t), 'missing.duckdb');
    await refused(file, 'database-not-found', ['read']);
    assert.equal(existsSync(file), false);
  });

  for (const [step, code] of [
    [1, 'database-newer'],
    [-1, 'database-older'],
  ] as const) {
    it(`refuses one whose schema is of version ${step > 0 ? 'current + 1' : 'current − 1'}`, async (t) => {
      const file = await fresh(t);
      const database = await Database.open(file, 'write');
      await database.run('UPDATE schema_info SET version = $1', [SCHEMA_VERSION + step]);
      database.close();
      for (const error of await refused(file, code)) assert.equal(error.details.version, SCHEMA_VERSION + step);
    });
  }

  it('refuses a file that is no database', async (t) => {
    const file = path.join(scratch(t), 'notes.txt');
    writeFileSync(file, 'Buy milk.\n'.repeat(2_000));
    await refused(file, 'not-a-database');
  });

  it("refuses another program's database and adds nothing to it", async (t) => {
    const file = await fresh(t);
    const database = await Database.open(file, 'write');
    for (const { view_name } of await database.all<{ view_name: string }>(
      'SELECT view_name FROM duckdb_views() WHERE NOT internal',
    ))
      await database.run(`DROP VIEW IF EXISTS ${view_name}`);
    for (const { table_name } of await database.all<{ table_name: string }>('SELECT table_name FROM duckdb_tables()'))
      await database.run(`DROP TABLE ${table_name}`);
    await database.run('CREATE TABLE invoices (amount INTEGER)');
    database.close();
    await refused(file, 'not-a-database');
    await refused(file, 'not-a-database', ['read']); // still: the write attempt left no tables of ours
  });

  it('refuses a second open of the same file in one process, also by another path', async (t) => {
    const file = await fresh(t);
    const link = path.join(path.dirname(file), 'link.duckdb');
    symlinkSync(file, link);
    const database = await Database.open(file, 'write');
    try {
      for (const name of [file, link, path.relative(process.cwd(), file)]) {
        await assert.rejects(Database.open(name, 'write'), /already open in this process/);
        await assert.rejects(Database.open(name, 'read'), /already open in this process/);
      }
    } finally {
      database.close();
    }
    (await Database.open(link, 'write')).close();
  });

  it('frees the path when opening fails', async (t) => {
    const file = await fresh(t);
    const database = await Database.open(file, 'write');
    await database.run('UPDATE schema_info SET version = version + 1');
    database.close();
    await refused(file, 'database-newer'); // and not `already open` the second time
  });

  it('names the process that has it open, whether it is to be read or written', async (t) => {
    const file = await fresh(t);
    const child = start('hold-database', [file]);
    try {
      assert.equal(await child.nextLine(), 'open');
      for (const error of await refused(file, 'database-locked')) {
        assert.equal(error.details.process_id, child.process.pid);
        assert.ok(error.message.includes(String(child.process.pid)));
      }
    } finally {
      await child.kill();
    }
  });

  for (const mode of ['read', 'write'] as const) {
    it(`opens to ${mode} what a killed writer left`, async (t) => {
      const file = await fresh(t);
      const child = start('hold-database', [file]);
      assert.equal(await child.nextLine(), 'open');
      await child.kill();
      const database = await Database.open(file, mode);
      const runs = await database.all<{ run_id: string }>("SELECT run_id FROM runs WHERE run_id = 'run-0'");
      database.close();
      assert.deepEqual(runs, [{ run_id: 'run-0' }]); // it said `open` after this row was committed
    });
  }
});

describe('a database opened to read', () => {
  async function readOnly(t: TestContext): Promise<Database> {
    const database = await Database.open(await fresh(t), 'read');
    t.after(() => database.close());
    return database;
  }

  it('takes no writes', async (t) => {
    const database = await readOnly(t);
    for (const sql of [
      "INSERT INTO runs (run_id, kind) VALUES ('r1', 'observed')",
      'DELETE FROM packed_records',
      'CREATE TABLE mine (x INTEGER)',
      'DROP VIEW sessions',
    ])
      await assert.rejects(database.run(sql), /read-only/, sql);
  });

  it('reaches no other file', async (t) => {
    const database = await readOnly(t);
    const folder = scratch(t);
    const other = path.join(folder, 'other.duckdb');
    copyFileSync(database.path, other);
    for (const sql of [
      "SELECT * FROM read_csv('/etc/passwd')",
      "SELECT * FROM read_text('/etc/passwd')",
      "SELECT * FROM glob('/etc/*')",
      `ATTACH '${other}' AS other`,
      `COPY runs TO '${path.join(folder, 'out.csv')}'`,
      'INSTALL httpfs',
      'LOAD httpfs',
    ])
      await assert.rejects(database.run(sql), /disabled|not allowed|Permission|external/i, sql);
    assert.equal(existsSync(path.join(folder, 'out.csv')), false);
  });

  it('cannot be talked into reaching other files', async (t) => {
    const database = await readOnly(t);
    await assert.rejects(database.run('SET enable_external_access = true'), /external/i);
    await assert.rejects(database.run("SELECT * FROM read_csv('/etc/passwd')"), /disabled|external/i);
  });

  it("tells a user's bad statement as a SqlError with a hint", async (t) => {
    const database = await readOnly(t);
    for (const sql of ['SELEC 1', 'FROM nowhere', "SELECT * FROM read_csv('/etc/passwd')"]) {
      await assert.rejects(
        async () => {
          for await (const _ of (await runQuery(database, sql)).rows);
        },
        (error) => error instanceof SqlError && error.exitCode === 2 && error.hint !== null,
        sql,
      );
    }
  });
});

it('says what to do where the library of DuckDB has no binary', () => {
  const load = () => {
    throw new Error("Cannot find module '@duckdb/node-bindings-sunos-x64/duckdb.node'\nRequire stack:\n- somewhere");
  };
  assert.throws(
    () => loadDriver(load),
    (error) => {
      assert.ok(error instanceof EnvironmentError);
      assert.equal(error.code, 'duckdb-unavailable');
      assert.equal(error.exitCode, 5);
      assert.match(
        error.message,
        /cannot be loaded here: Cannot find module '@duckdb\/node-bindings-sunos-x64\/duckdb.node'$/,
      );
      assert.match(error.hint ?? '', /--omit=optional/);
      return true;
    },
  );
});
