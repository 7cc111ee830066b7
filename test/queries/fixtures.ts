/** One incident told by both ends, in every layout: the log fixtures that several tests share. */
import { EmqxLog, NanomqLog, type NanomqOptions } from './log-writer.ts';

const CLIENT = 'bridge-1';

/** When the bridge connected and was disconnected, s after START; uneven, as redials are. */
export const CYCLES = [
  [1.2, 21.206],
  [24.4, 44.409],
  [45.3, 65.304],
  [68.1, 88.112],
] as const;

/** The bridge's side: connect, data down, no PINGREQ, DISCONNECT 141 or FIN, redial. */
export function nanomqCycles(options: NanomqOptions = {}): NanomqLog {
  const log = new NanomqLog({ release: '0.23.1', clientId: CLIENT, ...options });
  log.boot(0);
  CYCLES.forEach(([connected, disconnected], number) => {
    log.connected(connected + 0.002);
    for (let at = connected + 1; at < disconnected; at += 1) log.received(at + 0.001);
    if (number % 2 === 0) log.disconnectPacket(disconnected - 0.001, 141);
    else log.fin(disconnected);
    log.disconnected(disconnected + 0.003);
  });
  return log;
}

/** The broker's side of the same, with a subscriber that is no bridge. */
export function emqxCycles(log = new EmqxLog()): EmqxLog {
  log.boot(-3);
  log.client('watcher', '10.0.0.9:40001').connect(-1, 60).ping(30);
  CYCLES.forEach(([connected, disconnected], number) => {
    const bridge = log.client(CLIENT, `10.0.0.7:${50_000 + number}`).connect(connected);
    for (let at = connected + 1; at < disconnected; at += 1) bridge.publishTo(at);
    bridge.close(disconnected - 0.002, 'keepalive_timeout', 141);
  });
  return log;
}

/** Both ends, the broker's by any of its three handlers. */
export function incident(options: NanomqOptions = {}): {
  readonly 'nanomq.log': string;
  readonly 'emqx.log': string;
  readonly 'emqx-json.log': string;
  readonly 'trace.log': string;
} {
  const broker = emqxCycles();
  return {
    'nanomq.log': nanomqCycles(options).text(),
    'emqx.log': broker.text(),
    'emqx-json.log': broker.json(),
    'trace.log': broker.trace(options.clientId ?? CLIENT),
  };
}
