/** What a broker for any clients decides without a socket: who may do what, which filter matches which topic. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { connectRefusal, mayPublish, maySubscribe, parseAclRule } from '../../engine/broker/access.ts';
import { type ClientRules, OPEN_RULES } from '../../engine/broker/rules.ts';
import { type ConnectPacket, newConnection } from '../../engine/broker/state.ts';
import { isValidFilter, matchesTopic, splitShare } from '../../engine/broker/topic-filter.ts';

const CONNECT: ConnectPacket = {
  type: 'connect',
  clientId: 'c',
  keepaliveS: 0,
  cleanStart: true,
  protocol: 5,
  username: null,
  size: 20,
};

function client(username: string | null) {
  const connection = newConnection(1, 'tcp', '127.0.0.1:1');
  connection.connect = { ...CONNECT, username };
  return connection;
}

const rules = (...texts: string[]): ClientRules => ({ ...OPEN_RULES, acl: texts.map((text) => parseAclRule(text)!) });

describe('access', () => {
  it('lets everybody in where there are no users', () => {
    assert.equal(connectRefusal(OPEN_RULES, CONNECT), null);
  });

  it('wants the right password of a known user', () => {
    const users: ClientRules = { ...OPEN_RULES, users: new Map([['ann', 'gehéim']]) };
    const login = (username: string | null, password?: string) =>
      connectRefusal(users, {
        ...CONNECT,
        username,
        ...(password === undefined ? {} : { password: Buffer.from(password) }),
      });
    assert.equal(login('ann', 'gehéim'), null);
    for (const refused of [login('ann', 'x'), login('ann'), login('bob', 'gehéim'), login(null), login('', '')]) {
      assert.equal(refused, 134);
    }
  });

  it('offers no enhanced authentication, to nobody', () => {
    assert.equal(connectRefusal(OPEN_RULES, { ...CONNECT, authenticationMethod: 'SCRAM-SHA-1' }), 140);
  });

  it('refuses a 3.1.1 client without an id that wants to keep its session [MQTT-3.1.3-8]', () => {
    const anonymous = { ...CONNECT, clientId: '', protocol: 4 as const };
    assert.equal(connectRefusal(OPEN_RULES, { ...anonymous, cleanStart: false }), 133);
    assert.equal(connectRefusal(OPEN_RULES, anonymous), null);
    assert.equal(connectRefusal(OPEN_RULES, { ...anonymous, protocol: 5, cleanStart: false }), null);
  });

  it('takes the first rule that fits, and allows what none says', () => {
    const acl = rules('allow ann publish a/b', 'deny * publish a/#', 'deny bob all c');
    assert.equal(mayPublish(acl, client('ann'), 'a/b'), true);
    assert.equal(mayPublish(acl, client('ann'), 'a/c'), false);
    assert.equal(mayPublish(acl, client(null), 'a/b'), false);
    assert.equal(maySubscribe(acl, client(null), 'a/b'), true);
    assert.equal(maySubscribe(acl, client('bob'), 'c'), false);
    assert.equal(mayPublish(acl, client('ann'), 'c'), true);
  });

  it('applies a rule to what is narrower, also in a shared subscription', () => {
    const acl = rules('deny * subscribe admin/#');
    for (const filter of ['admin/x', 'admin/+', 'admin/#', 'admin', '$share/g/admin/x']) {
      assert.equal(maySubscribe(acl, client(null), filter), false, filter);
    }
    for (const filter of ['free', '$share/admin/free'])
      assert.equal(maySubscribe(acl, client(null), filter), true, filter);
  });

  it('reads rules and knows what is none', () => {
    assert.deepEqual(parseAclRule(' deny  *  publish  a/+ '), {
      allow: false,
      user: null,
      action: 'publish',
      filter: 'a/+',
    });
    for (const text of [
      '',
      'deny * publish',
      'forbid * all #',
      'deny * read #',
      'deny * all a/#/b',
      'deny * all a b',
    ]) {
      assert.equal(parseAclRule(text), null, text);
    }
  });
});

describe('topic filter', () => {
  const matches: readonly [string, string, boolean][] = [
    ['a/b', 'a/b', true],
    ['a/b', 'a/B', false],
    ['a/b', 'a/b/', false],
    ['a/+', 'a/', true],
    ['a/+', 'a', false],
    ['a/+', 'a/b/c', false],
    ['+/+', '/x', true],
    ['+', '/x', false],
    ['a/#', 'a', true],
    ['a/#', 'a/b/c', true],
    ['#', 'a/b', true],
    ['#', '$SYS/x', false],
    ['+/x', '$SYS/x', false],
    ['$SYS/#', '$SYS/x', true],
    ['a/$x', 'a/$x', true],
    ['$share/g/a/+', 'a/b', true],
  ];
  for (const [filter, topic, expected] of matches) {
    it(`${filter} ${expected ? 'matches' : 'does not match'} ${topic}`, () => {
      assert.equal(matchesTopic(filter, topic), expected);
    });
  }

  it('has wildcards as whole levels only, # last, and a group without wildcards', () => {
    for (const valid of ['a', '/', 'a//b', '+', '#', '+/a/#', '$share/g/a', `${'a/'.repeat(127)}a`]) {
      assert.equal(isValidFilter(valid), true, valid);
    }
    const invalid = ['', 'a#', 'a/#/b', '+a', 'a+/b', '$share/g', '$share/g/', '$share//a', '$share/+/a', 'a\u0000'];
    for (const text of [...invalid, `${'a/'.repeat(128)}a`]) assert.equal(isValidFilter(text), false, text);
  });

  it('is split from its share', () => {
    assert.deepEqual(splitShare('$share/g/a/b'), { group: 'g', filter: 'a/b' });
    assert.deepEqual(splitShare('$shared/g/a'), { group: null, filter: '$shared/g/a' });
  });
});
