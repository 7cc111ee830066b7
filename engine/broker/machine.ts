/**
 * EMQX's side of the bridge as a machine without I/O: connections, streams, sessions and the keepalive check. Rules:
 * emqx-keepalive-model §1–§5 with the cells of one {@link BrokerProfile}.
 */

import type { BrokerProfile } from '../profiles/profile.ts';
import { SEVERITY_RANK } from '../severity.ts';
import { SECOND } from '../time.ts';
import type { BrokerSettings, Micros, Rng } from '../types.ts';
import { type Clients, newClients } from './clients.ts';
import { establishWaiting, keepaliveCounter, onRivalConnect } from './connect.ts';
import { retryInterval } from './deliver.ts';
import { onDownlink } from './downlink.ts';
import {
  closeMalformed,
  endDetached,
  expireKeepalive,
  kick,
  onCloseTimeout,
  onTransportClosed,
  stopAll,
  terminate,
} from './end.ts';
import type { BrokerInput, BrokerMachine, BrokerOutput } from './io.ts';
import { checkKeepalive } from './keepalive.ts';
import { log } from './log.ts';
import { onPacket, onUnread, readDataStreams } from './packets.ts';
import type { ClientRules } from './rules.ts';
import { onRetry } from './session.ts';
import { type Broker, type Connection, newConnection } from './state.ts';
import { publishWill } from './will.ts';

/** `mqtt.idle_timeout`: time from the control stream to CONNECT. */
const CONNECT_WAIT = 15 * SECOND;

export interface BrokerOptions {
  readonly profile: BrokerProfile;
  readonly settings: BrokerSettings;
  readonly rng: Rng;
  /** Makes it a broker for clients of any kind: their messages are routed, retained and checked. Absent: a replay's. */
  readonly rules?: ClientRules;
}

export function createBroker({ profile, settings, rng, rules }: BrokerOptions): BrokerMachine {
  const clients: Clients | null = rules ? newClients(rules) : null;
  const broker: Broker = {
    profile,
    settings,
    rng,
    logRank: SEVERITY_RANK[settings.logLevel ?? 'trace'],
    now: 0,
    out: [],
    running: false,
    connections: new Map(),
    awaiting: 0,
    nextRivalId: -1,
    lastClient: null,
    refuse: null,
    clients,
  };
  return {
    handle(now: Micros, input: BrokerInput): readonly BrokerOutput[] {
      broker.now = now;
      broker.out = [];
      dispatch(broker, input);
      if (broker.awaiting > 0) establishWaiting(broker, readDataStreams);
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
      else onUnread(broker, input.packet);
      return;
    }
    case 'closed': {
      const connection = broker.connections.get(input.connection);
      if (connection) onTransportClosed(broker, connection, input.cause);
      return;
    }
    case 'malformed': {
      const connection = broker.connections.get(input.connection);
      if (connection) closeMalformed(broker, connection, input.reasonCode, input.text);
      return;
    }
    case 'transport-bytes': {
      const connection = broker.connections.get(input.connection);
      if (connection) connection.bytes += input.bytes;
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
    case 'refuse':
      broker.refuse = input.reasonCode;
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
    else if (connection.state === 'detached') endDetached(broker, connection, 'kicked');
  }
}

function onDeadline(broker: Broker, connection: Connection): void {
  const { now } = broker;
  if (connection.connectBy !== null && connection.connectBy <= now) {
    connection.closeReason = 'idle_timeout';
    terminate(broker, connection);
    return;
  }
  if (connection.closingUntil !== null && connection.closingUntil <= now) {
    onCloseTimeout(broker, connection);
    return;
  }
  if (connection.willAt !== null && connection.willAt <= now) publishWill(broker, connection);
  if (connection.expiresAt !== null && connection.expiresAt <= now) {
    endDetached(broker, connection, 'expired');
    return;
  }
  if (connection.retryAt !== null && connection.retryAt <= now) onRetry(broker, connection, retryInterval(broker) ?? 0);
  const { keepalive } = connection;
  if (!keepalive || connection.state !== 'connected' || keepalive.checkAt > now) return;
  const count = keepaliveCounter(broker, connection);
  if (checkKeepalive(broker.profile, keepalive, count, now)) expireKeepalive(broker, connection);
}

function nextDeadline(broker: Broker): Micros | null {
  let next = Number.POSITIVE_INFINITY;
  for (const connection of broker.connections.values()) {
    const { connectBy, closingUntil, retryAt, expiresAt, willAt, keepalive } = connection;
    if (connectBy !== null && connectBy < next) next = connectBy;
    if (closingUntil !== null && closingUntil < next) next = closingUntil;
    if (retryAt !== null && retryAt < next) next = retryAt;
    if (expiresAt !== null && expiresAt < next) next = expiresAt;
    if (willAt !== null && willAt < next) next = willAt;
    if (keepalive !== null && keepalive.checkAt < next) next = keepalive.checkAt;
  }
  return next === Number.POSITIVE_INFINITY ? null : next;
}
