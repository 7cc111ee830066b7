/**
 * EMQX's side of the bridge as a machine without I/O: connections, streams, sessions and the keepalive check. Rules:
 * emqx-keepalive-model §1–§5 with the cells of one {@link BrokerProfile}.
 */

import type { BrokerProfile } from '../profiles/profile.ts';
import { SECOND } from '../time.ts';
import type { BrokerSettings, Micros, Rng } from '../types.ts';
import { establishWaiting, keepaliveCounter, onRivalConnect } from './connect.ts';
import { onDownlink } from './deliver.ts';
import { expireKeepalive, kick, onTransportClosed, stopAll, terminate } from './end.ts';
import type { BrokerInput, BrokerMachine, BrokerOutput } from './io.ts';
import { checkKeepalive } from './keepalive.ts';
import { log } from './log.ts';
import { onPacket } from './packets.ts';
import { type Broker, type Connection, newConnection } from './state.ts';

/** `mqtt.idle_timeout`: time from the control stream to CONNECT. */
const CONNECT_WAIT = 15 * SECOND;

export interface BrokerOptions {
  readonly profile: BrokerProfile;
  readonly settings: BrokerSettings;
  readonly rng: Rng;
}

export function createBroker({ profile, settings, rng }: BrokerOptions): BrokerMachine {
  const broker: Broker = {
    profile,
    settings,
    rng,
    now: 0,
    out: [],
    running: false,
    connections: new Map(),
    nextRivalId: -1,
    lastClient: null,
  };
  return {
    handle(now: Micros, input: BrokerInput): readonly BrokerOutput[] {
      broker.now = now;
      broker.out = [];
      dispatch(broker, input);
      establishWaiting(broker);
      return broker.out;
    },
    nextDeadline: () => nextDeadline(broker),
    listening: () => broker.running,
  };
}

function dispatch(broker: Broker, input: BrokerInput): void {
  switch (input.kind) {
    case 'start':
      onStart(broker);
      return;
    case 'stop':
      stopAll(broker);
      broker.running = false;
      return;
    case 'deadline':
      for (const connection of [...broker.connections.values()]) onDeadline(broker, connection);
      return;
    case 'accepted': {
      const connection = newConnection(input.connection, input.transport, input.peer);
      connection.connectBy = broker.now + CONNECT_WAIT;
      broker.connections.set(connection.id, connection);
      return;
    }
    case 'packet': {
      const connection = broker.connections.get(input.connection);
      if (connection) onPacket(broker, connection, input.stream, input.packet);
      return;
    }
    case 'closed': {
      const connection = broker.connections.get(input.connection);
      if (connection) onTransportClosed(broker, connection, input.cause);
      return;
    }
    case 'downlink':
      onDownlink(broker, input.message);
      return;
    case 'rival-connect':
      onRivalConnect(broker);
      return;
    case 'kick':
      onKick(broker);
      return;
  }
}

function onStart(broker: Broker): void {
  if (broker.running) return;
  broker.running = true;
  log(broker, null, 'info', 'node_boot', null);
}

function onKick(broker: Broker): void {
  for (const connection of [...broker.connections.values()]) {
    if (connection.state === 'connected') kick(broker, connection);
  }
}

function onDeadline(broker: Broker, connection: Connection): void {
  const { keepalive } = connection;
  if (connection.connectBy !== null && connection.connectBy <= broker.now) {
    connection.closeReason = 'idle_timeout';
    terminate(broker, connection);
    return;
  }
  if (connection.closingUntil !== null && connection.closingUntil <= broker.now) {
    terminate(broker, connection);
    return;
  }
  if (!keepalive || connection.state !== 'connected' || keepalive.checkAt > broker.now) return;
  const count = keepaliveCounter(broker, connection);
  if (checkKeepalive(broker.profile, keepalive, count, broker.now)) expireKeepalive(broker, connection);
}

function nextDeadline(broker: Broker): Micros | null {
  let next: Micros | null = null;
  for (const connection of broker.connections.values()) {
    for (const at of [connection.connectBy, connection.closingUntil, connection.keepalive?.checkAt ?? null]) {
      if (at !== null && (next === null || at < next)) next = at;
    }
  }
  return next;
}
