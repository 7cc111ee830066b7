/** When the broker accepted clients, answered their subscriptions and ended their connections: what clocks are aligned by. */
import { type Database, readSql } from '../database.ts';
import { MAX_EVENTS } from './align.ts';

/** Instants, µs, in order; the first MAX_EVENTS of each. */
export interface EventTimes {
  readonly connack: number[];
  readonly suback: number[];
  readonly ends: number[];
}

/** Instants kept of a client while they come in no order. */
const KEPT = 4 * MAX_EVENTS;
/** Several lines, layouts and files tell one end of a connection within this time. */
const SAME_END_US = 2_000_000;

/** Instants by client id, clients in order of their first; read when they are asked for, as a stream, for there may be millions. */
export class BrokerEvents {
  private readonly database: Database;
  private readonly clientIds: string | null;
  private isMade = false;
  private startsRead: Promise<Map<string, EventTimes>> | null = null;
  private endsRead: Promise<Map<string, EventTimes>> | null = null;

  /** @param clientIds the clients that matter, null: all. Needs the temporary table of record-kinds.sql. */
  constructor(database: Database, clientIds: readonly string[] | null) {
    this.database = database;
    this.clientIds = clientIds === null ? null : JSON.stringify(clientIds);
  }

  /** CONNACK 0 and SUBACK. */
  starts(): Promise<ReadonlyMap<string, EventTimes>> {
    this.startsRead ??= this.readStarts();
    return this.startsRead;
  }

  /** The ends that the broker decided. */
  ends(): Promise<ReadonlyMap<string, EventTimes>> {
    this.endsRead ??= this.readEnds();
    return this.endsRead;
  }

  private async readStarts(): Promise<Map<string, EventTimes>> {
    const byClient = new Map<string, EventTimes>();
    for await (const [clientId, kind, at] of this.rows<[string, string, number]>('broker-starts.sql')) {
      const times = timesOf(byClient, clientId);
      add(kind === 'SUBACK' ? times.suback : times.connack, at);
    }
    return inOrder(byClient);
  }

  /** Connections are told apart by client and peer, and by CONNECT where a port is used again, as in the view `broker_sessions`. */
  private async readEnds(): Promise<Map<string, EventTimes>> {
    const byClient = new Map<string, EventTimes>();
    const open = new Map<string, Connection>();
    const lastEnds = new Map<string, { peer: string; at: number }>();
    const finish = ({ clientId, peer, accepted, refused, decided, terminated, byBroker }: Connection) => {
      const at = terminated ?? decided;
      if (at === null || (refused && !accepted)) return;
      if (byBroker) add(timesOf(byClient, clientId).ends, at);
      lastEnds.set(clientId, { peer, at });
    };
    type Line = [string, string, number, string, number | null, boolean | null];
    for await (const [clientId, kind, at, peer, code, byBroker] of this.rows<Line>('broker-ends.sql')) {
      const key = `${clientId}\n${peer}`;
      let connection = open.get(key);
      if (connection === undefined) {
        const last = lastEnds.get(clientId);
        if (isEnd(kind) && last?.peer === peer && at - last.at <= SAME_END_US) continue;
        connection = newConnection(clientId, peer);
        open.set(key, connection);
      } else if (kind === 'CONNECT') {
        finish(connection);
        connection = newConnection(clientId, peer);
        open.set(key, connection);
      }
      if (kind === 'CONNACK') {
        if (code === 0) connection.accepted = true;
        else if (code !== null) connection.refused = true;
      }
      if (!isEnd(kind)) continue;
      if (kind === 'decided') {
        connection.decided ??= at;
        connection.byBroker ??= byBroker;
        continue;
      }
      // The reason of the decision counts, if there is one.
      connection.terminated = at;
      connection.byBroker ??= byBroker;
      finish(connection);
      open.delete(key);
    }
    for (const connection of open.values()) finish(connection);
    return inOrder(byClient);
  }

  private async *rows<Line>(file: string): AsyncGenerator<Line> {
    const { database } = this;
    if (!this.isMade) await database.run(readSql('derive', 'broker-lines.sql'));
    this.isMade = true;
    const { rows } = await database.stream(readSql('derive', file), [this.clientIds]);
    for await (const batch of rows) yield* batch as Line[];
  }
}

interface Connection {
  readonly clientId: string;
  readonly peer: string;
  accepted: boolean;
  refused: boolean;
  decided: number | null;
  terminated: number | null;
  byBroker: boolean | null;
}

function newConnection(clientId: string, peer: string): Connection {
  return { clientId, peer, accepted: false, refused: false, decided: null, terminated: null, byBroker: null };
}

function isEnd(kind: string): boolean {
  return kind === 'decided' || kind === 'terminated';
}

function timesOf(byClient: Map<string, EventTimes>, clientId: string): EventTimes {
  let times = byClient.get(clientId);
  if (times === undefined) {
    times = { connack: [], suback: [], ends: [] };
    byClient.set(clientId, times);
  }
  return times;
}

function add(times: number[], at: number): void {
  times.push(at);
  if (times.length === KEPT) keepFirst(times);
}

function keepFirst(times: number[]): void {
  times.sort((a, b) => a - b);
  if (times.length > MAX_EVENTS) times.length = MAX_EVENTS;
}

function inOrder(byClient: Map<string, EventTimes>): Map<string, EventTimes> {
  const first = ({ connack, suback, ends }: EventTimes) =>
    Math.min(...[connack, suback, ends].map((times) => times[0] ?? Number.POSITIVE_INFINITY));
  for (const times of byClient.values()) for (const list of Object.values(times)) keepFirst(list as number[]);
  return new Map([...byClient].sort(([a, x], [b, y]) => first(x) - first(y) || (a < b ? -1 : 1)));
}
