/** What the bridge machine logs, against the catalogue of NanoMQ's log statements and the lines of real logs. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SimRecord, Stimulus } from '../../engine/index.ts';
import { type CatalogueRow, nanomqCatalogue, RELEASES, renderNanomqMessage } from '../../parsers/index.ts';
import { createPeer, downlink, type Logged, type Peer } from './bridge-harness.ts';
import { blackhole, restart, run, type Scenario, SECOND } from './scenario.ts';

const ROWS = new Map<string, CatalogueRow[]>();
for (const row of nanomqCatalogue.flatMap((sheet) => sheet.rows)) {
  ROWS.set(row.event, [...(ROWS.get(row.event) ?? []), row]);
}

function holds(row: CatalogueRow, release: string): boolean {
  const [from, to] = row.versions.replace('≤', '').split('–') as [string, string | undefined];
  const index = RELEASES.indexOf(release);
  return index >= RELEASES.indexOf(from) && index <= RELEASES.indexOf(to ?? from);
}

const kicks: Stimulus[] = [12, 21, 30].map((at) => ({ at: at * SECOND, kind: 'kick' }));

/** Together these reach nearly every line. */
const SCENARIOS: readonly Omit<Scenario, 'nanomq' | 'transport'>[] = [
  {
    emqx: '5.8.2',
    down: { hz: 2, fromS: 3, toS: 60, mix: [0, 1, 2] },
    bridge: { subscriptions: [{ topic: 'down/#', qos: 2 }] },
    durationS: 70,
    faults: restart(30, 34),
  },
  {
    emqx: '5.8.1',
    up: { hz: 20, fromS: 1, toS: 100, mix: [0, 0, 1, 2], size: 2000 },
    bridge: { quicQosPriority: false, parallel: 2, maxSendQueueLen: 4 },
    broker: { maxPacketSize: 100_000 },
    faults: blackhole(20, 60),
    durationS: 110,
  },
  { emqx: '5.8.2', up: { hz: 20, fromS: 1, toS: 80, mix: [0, 1] }, faults: kicks, durationS: 90 },
  { emqx: '5.8.2', up: { hz: 0.2, fromS: 5, toS: 60, size: 5000 }, broker: { maxPacketSize: 2000 }, durationS: 70 },
  {
    emqx: '5.8.2',
    bridge: { quicIdleTimeoutS: 15, quicKeepaliveS: 120, keepaliveS: 60 },
    durationS: 60,
  },
  {
    emqx: '5.8.2',
    faults: [
      { at: 5 * SECOND, kind: 'refuse', reasonCode: 135 },
      { at: 6 * SECOND, kind: 'kick' },
      { at: 50 * SECOND, kind: 'refuse', reasonCode: null },
    ],
    up: { hz: 5, fromS: 1, toS: 60, mix: [0, 1] },
    durationS: 70,
  },
];

/**
 * Events at info and above in the bridge logs of `corpus/incidents`, without those of the local broker. Left out because they need
 * more than these scenarios: `quic_substream_timeout_close` and its reopenings, `bridge_qos_cancelled`, `msg_lost_enqueue` (the tests
 * of D4, D5 and D12 have them), the dead bridge of 03l, `quic_peer_receive_aborted` (once, after an administrative action),
 * `bridge_subscribe_retry` and `quic_stream_send_failed` (both in 08b only).
 */
const SEEN_IN_INCIDENTS: readonly string[] = [
  'aio_busy',
  'bridge_acked',
  'bridge_commercial_notice',
  'bridge_connack_delivered',
  'bridge_connected',
  'bridge_connection_closed',
  'bridge_dial_error_reported',
  'bridge_dial_failed',
  'bridge_disconnect_packet_rx',
  'bridge_disconnected',
  'bridge_keepalive_set',
  'bridge_local_addr',
  'bridge_msg_dropped_already_cached',
  'bridge_negotiation_failed',
  'bridge_pipe_stopped',
  'bridge_ping_timeout',
  'bridge_qos0_dropped_busy',
  'bridge_qos0_dropped_disconnected',
  'bridge_reconnect_backoff',
  'bridge_recv_error',
  'bridge_resend',
  'bridge_resend_blocked',
  'bridge_send_failed',
  'bridge_send_on_closed',
  'bridge_server_max_packet',
  'bridge_suback_code',
  'bridge_subscribe_result',
  'bridge_subscribe_start',
  'bridge_timer_aborted',
  'broker_ctx_recv_error',
  'cached_msg_lost',
  'client_offline',
  'client_online',
  'ctx_cache_overwrite',
  'dialer_connect_result',
  'msg_cached_disconnected',
  'msquic_enabled',
  'ping_sent',
  'quic_connected',
  'quic_connecting',
  'quic_connection_timeout',
  'quic_datagram_state',
  'quic_dial_abort',
  'quic_dial_begin',
  'quic_dial_error',
  'quic_fin_received',
  'quic_idle_timeout',
  'quic_no_tls_credentials',
  'quic_peer_send_shutdown',
  'quic_shutdown_bug',
  'quic_shutdown_by_peer',
  'quic_shutdown_by_transport',
  'quic_shutdown_complete',
  'quic_stream_aio_begin_failed',
  'quic_stream_ideal_buffer',
  'quic_stream_not_accepted',
  'quic_stream_op_cancelled',
  'quic_stream_send_shutdown_complete',
  'quic_stream_shutdown_complete',
  'quic_stream_started',
  'quic_streams_available',
  'quic_substream_assigned',
  'quic_substream_recv_retry',
  'quic_substream_released',
  'quic_ticket_received',
  'quic_tran_recv_armed_main',
  'quic_tran_recv_armed_sub',
  'quic_tran_recv_cancel',
  'quic_tran_recv_error',
  'quic_tran_send_error',
  'tcp_bridge_aio_error',
];

function recordsOf(nanomq: string, transport: 'quic' | 'tcp'): readonly SimRecord[] {
  return SCENARIOS.flatMap((scenario) => run({ ...scenario, nanomq, transport }).records).filter(
    ({ endpoint }) => endpoint === 'bridge',
  );
}

/** What only a machine with a peer of its own reaches: refused writes, full queues, acknowledgements of nothing. */
function rareLines(nanomq: string, transport: 'quic' | 'tcp'): readonly Logged[] {
  const subscriptions = Array.from({ length: 70 }, (_, index) => ({ topic: `t${index}`, qos: 0 as const }));
  const settings = { maxParallelProcesses: 1, maxSendQueueLen: 0, maxRecvQueueLen: 1, retryQos0: true, parallel: 3 };
  const lines: Logged[] = [];
  for (const quicQosPriority of [true, false]) {
    const peer = createPeer(nanomq, transport, { settings: { ...settings, subscriptions, quicQosPriority } });
    lines.push(...rareLinesOf(peer, transport));
  }
  return lines;
}

function rareLinesOf(peer: Peer, transport: 'quic' | 'tcp'): readonly Logged[] {
  if (transport === 'quic') peer.input({ kind: 'dial-busy' });
  peer.run(20 * SECOND);
  peer.input({ kind: 'unsubscribe', topics: ['a'] });
  for (let index = 0; index < 70; index++) peer.input({ kind: 'unsubscribe', topics: ['a'] });
  peer.run(21 * SECOND);
  const stream = transport === 'quic' ? 1 : 0;
  for (let seq = 1; seq <= 1500; seq++) peer.receive(downlink(seq, 1), stream);
  for (let seq = 1; seq <= 300; seq++) peer.receive(downlink(5000 + seq, 2, 7), stream);
  for (let round = 0; round < 2; round++) peer.receive({ type: 'pubrel', packetId: 7, reasonCode: 0, size: 4 }, stream);
  peer.receive({ type: 'puback', packetId: 999, reasonCode: 0, size: 4 });
  peer.answers.delete('publish');
  for (let seq = 1; seq <= 9; seq++) peer.publish(seq, seq % 2 === 0 ? 0 : 1);
  peer.run(50 * SECOND);
  if (transport === 'quic') {
    peer.input({ kind: 'stream-cancelled', stream: 4 });
    for (const { token } of writesOf(peer)) peer.input({ kind: 'write-refused', token, status: 1 });
  }
  peer.input({ kind: 'closed', cause: { kind: 'idle' } });
  for (let seq = 20; seq <= 29; seq++) peer.publish(seq, seq % 2 === 0 ? 0 : 1);
  peer.answers.delete('connect');
  peer.run(100 * SECOND);
  return peer.logged;
}

/** Tokens of a message that is being written now. */
function writesOf(peer: Peer): readonly { readonly token: number }[] {
  const message = { seq: 100, topic: 'up', qos: 0, size: 1 } as const;
  const outputs = peer.machine.handle(peer.now, { kind: 'offer', message });
  return outputs.flatMap((output) => (output.kind === 'write' ? [output] : []));
}

const QUIC_RELEASES = [
  '0.22.10',
  '0.23.1',
  '0.23.2',
  '0.23.6',
  '0.23.7',
  '0.23.10',
  '0.24.1',
  '0.24.2',
  '0.24.11',
  '0.25.6',
];
const TCP_RELEASES = ['0.22.10', '0.23.1', '0.23.2', '0.23.10', '0.24.2', '0.24.5', '0.24.14', '0.25.6'];

describe('log lines of the bridge', () => {
  for (const [transport, releases] of [
    ['quic', QUIC_RELEASES],
    ['tcp', TCP_RELEASES],
  ] as const) {
    for (const release of releases) {
      it(`${release} over ${transport}: level and fields are those of a statement of the release`, () => {
        const wrong = new Set<string>();
        for (const { event, severity, fields } of [
          ...recordsOf(release, transport),
          ...rareLines(release, transport),
        ]) {
          const names = Object.keys(fields ?? {}).sort();
          const fits = (row: CatalogueRow): boolean =>
            row.level === severity && holds(row, release) && `${row.fields.filter(Boolean).toSorted()}` === `${names}`;
          if (!ROWS.get(event)?.some(fits)) wrong.add(`${severity} ${event} {${names}}`);
        }
        assert.deepEqual([...wrong], []);
      });
    }
  }

  it('every line that the bridges of real incidents wrote at info and above is made', () => {
    const made = new Set<string>();
    for (const [transport, releases] of [
      ['quic', QUIC_RELEASES],
      ['tcp', TCP_RELEASES],
    ] as const) {
      for (const release of releases) for (const { event } of recordsOf(release, transport)) made.add(event);
    }
    assert.deepEqual(
      SEEN_IN_INCIDENTS.filter((event) => !made.has(event)),
      [],
    );
  });

  it('every line can be printed', () => {
    for (const { event, fields } of recordsOf('0.23.6', 'quic')) {
      assert.ok(renderNanomqMessage(event, fields ?? {}, '0.23.6'), event);
    }
  });
});
