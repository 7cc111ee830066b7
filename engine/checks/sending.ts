/** One message at a time on its way, and packet ids that are not used twice (debug lines; without them nothing is checked). */

import { TraceCheckError, type TraceRecord } from './trace.ts';

/** Without QoS 2 nothing but PUBLISH goes over these streams, and every PUBLISH there goes through the one busy slot. */
const PUBLISH_STREAMS: ReadonlySet<unknown> = new Set([3, 4]);
const ENDS_WRITES: ReadonlySet<string> = new Set([
  'bridge_disconnected',
  'quic_shutdown_complete',
  'quic_substream_timeout_close',
]);

/** At most one ordinary PUBLISH is in flight over both publish streams. */
export function checkPublishWrites(records: readonly TraceRecord[]): void {
  const isWrite = writeEvent(records);
  let underWay = 0;
  for (const record of records) {
    const { event, at, fields } = record;
    if (ENDS_WRITES.has(event)) underWay = 0;
    if (!PUBLISH_STREAMS.has(fields?.sid)) continue;
    if (event === 'quic_send_complete') underWay = Math.max(0, underWay - 1);
    if (!isWrite(record)) continue;
    underWay++;
    if (underWay > 1) throw new TraceCheckError('one-ordinary-send', at, `${underWay} publishes in flight`);
  }
}

/**
 * The product enters its write function after each completion too, where it may find nothing to write; only a buffer is a write.
 * A simulated trace has no lines about buffers and none about such visits.
 */
function writeEvent(records: readonly TraceRecord[]): (record: TraceRecord) => boolean {
  if (records.some(({ event }) => event === 'quic_write_buffer')) {
    return ({ event, fields }) => event === 'quic_write_buffer' && fields?.buf_index === 0;
  }
  return ({ event }) => event === 'quic_write_start';
}

const RELEASES_ID: ReadonlySet<string> = new Set([
  'bridge_ack_rx',
  'bridge_qos_cancelled',
  'bridge_qos_overwritten',
  'bridge_packet_id_conflict',
]);

/** [MQTT-2.2.1-3]: a packet id is not used again while its message is unacknowledged, across connections too. */
export function checkPacketIds(records: readonly TraceRecord[]): void {
  const open = new Set<unknown>();
  for (const { event, at, endpoint, fields } of records) {
    if (endpoint !== 'bridge') continue;
    const id = fields?.packet_id;
    if (RELEASES_ID.has(event)) open.delete(id);
    if (event !== 'bridge_send_qos_begin') continue;
    if (open.has(id)) throw new TraceCheckError('packet-id-unique', at, `id ${String(id)} is in use`);
    open.add(id);
  }
}
