import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import mqtt from 'mqtt';
import { bridgetrace, MAIN, plainEnvironment, scratch } from '../cli/bridgetrace.ts';
import { until } from '../live/support.ts';

const folder = scratch();
const users = path.join(folder, 'users.txt');

describe('bridgetrace broker --users-file', () => {
  it('lets in who stands in the file, with the password behind the first colon', async () => {
    writeFileSync(users, '# of the lab\n\nann:with:colon\r\nbob:b\n');
    const child = spawn(
      process.execPath,
      [MAIN, 'broker', '--quic', 'off', '--tcp', '0', '--users-file', users, '--user', 'eve:e'],
      {
        env: plainEnvironment(),
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    try {
      let err = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        err += text;
      });
      await until(() => err.includes('listening on'), 'the port', 20_000);
      assert.match(err, /--user: the list of processes shows the password .* use --users-file/);
      const port = Number(/:(\d+)\n/.exec(err.slice(err.indexOf('listening on')))?.[1]);
      const login = async (username: string, password: string): Promise<string> => {
        const options = { reconnectPeriod: 0, username, password };
        const outcome = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, options).catch(() => null);
        await outcome?.endAsync(true);
        return outcome ? 'in' : 'out';
      };
      assert.deepEqual(
        [await login('ann', 'with:colon'), await login('bob', 'b'), await login('eve', 'e'), await login('bob', 'x')],
        ['in', 'in', 'in', 'out'],
      );
    } finally {
      child.kill();
    }
  });

  it('says which line is none, without what stands in it', async () => {
    writeFileSync(users, 'ann:a\nsecret-without-name\n');
    const { code, err } = await bridgetrace('broker', '--users-file', users);
    assert.equal(code, 2);
    assert.match(err, /users\.txt:2: write NAME:PASSWORD/);
    assert.doesNotMatch(err, /secret/);
  });

  it('says that the file is not there', async () => {
    const { code, err } = await bridgetrace('broker', '--users-file', path.join(folder, 'nobody.txt'));
    assert.equal(code, 4);
    assert.match(err, /nobody\.txt cannot be read/);
  });
});
