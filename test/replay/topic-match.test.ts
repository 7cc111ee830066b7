import assert from 'node:assert/strict';
import { test } from 'node:test';
import { topicMatches } from '../../replay/topic-match.ts';

function matches(filter: string, yes: readonly string[], no: readonly string[]): void {
  for (const topic of yes) assert.equal(topicMatches(filter, topic), true, `${filter} matches ${topic}`);
  for (const topic of no) assert.equal(topicMatches(filter, topic), false, `${filter} does not match ${topic}`);
}

test('a filter without wildcards matches the same topic only, letter case and empty levels included', () => {
  matches('a/b', ['a/b'], ['a', 'a/b/c', 'A/b', '/a/b', 'a/b/', 'a//b']);
  matches('/', ['/'], ['', 'a', 'a/']);
});

test('# matches the parent level and everything below it [MQTT-4.7.1-2]', () => {
  matches(
    'sport/tennis/#',
    ['sport/tennis', 'sport/tennis/player1', 'sport/tennis/player1/ranking'],
    ['sport', 'sport/tennis2', 'sport/golf'],
  );
  matches('#', ['a', 'a/b', '/', '/a'], []);
  matches('/#', ['/', '/a', '/a/b'], ['a', 'a/b']);
});

test('+ matches exactly one level, an empty one too [MQTT-4.7.1-3]', () => {
  matches('sport/+', ['sport/', 'sport/tennis'], ['sport', 'sport/tennis/player1']);
  matches('+/+', ['/finance', 'a/b', '/'], ['finance', 'a/b/c']);
  matches('/+', ['/finance'], ['finance', '/a/b']);
  matches('+/tennis/#', ['sport/tennis', '/tennis/a'], ['tennis', 'a/b/tennis']);
});

test('a topic that starts with $ is not matched by a wildcard in the first level [MQTT-4.7.2-1]', () => {
  matches('#', [], ['$SYS', '$SYS/broker/uptime']);
  matches('+/broker', [], ['$SYS/broker']);
  matches('$SYS/#', ['$SYS', '$SYS/broker/uptime'], ['SYS/broker']);
  matches('$SYS/broker/+', ['$SYS/broker/uptime'], ['$SYS/broker']);
  matches('a/#', ['a/$SYS'], []);
});

test('a + inside a level is an ordinary character', () => {
  matches('a+/b', ['a+/b'], ['ax/b']);
});
