/**
 * What to change, by finding: data with sources. `knownFix` is true only where the change was seen to remove the cause on real
 * brokers; what was seen not to help is listed too, since it is often recommended.
 */
import type { Advice } from './finding.ts';
import type { BridgeStory } from './story.ts';

interface AdviceRow extends Advice {
  /** Only for this transport; absent: both. */
  readonly transport?: 'quic' | 'tcp';
}

const measured = (what: string) => `measured on real brokers: ${what}`;

const fix = (change: string, why: string, source: string): AdviceRow => ({ change, why, knownFix: true, source });
const attempt = (change: string, why: string, source: string): AdviceRow => ({ change, why, knownFix: false, source });

const COLLECT = 'NanoMQ configuration reference';

export const ADVICE: { readonly [finding: string]: readonly AdviceRow[] } = {
  'keepalive-receive-reset': [
    {
      ...fix(
        'nanomq=0.23.10',
        'from 0.23.2 only PINGRESP restarts the timer; seen to cure it (0.23.2–0.23.9 have stuck-busy and parking defects instead)',
        measured('0 disconnects in 130 s, PINGREQ every 10 s'),
      ),
      transport: 'quic',
    },
    {
      ...attempt(
        'send a small message upward more often than the keepalive',
        'counts at EMQX 5.8.2 and later on any stream; with 5.8.1 and older it must go over the control stream',
        measured('one QoS 0 message each 5 s is enough with 5.8.2, not with 5.8.1'),
      ),
      transport: 'quic',
    },
    {
      ...attempt(
        'subscribe with QoS 1',
        'the acknowledgements go up and count',
        measured('QoS 1 downlink does not cycle'),
      ),
      transport: 'quic',
    },
    {
      ...attempt(
        'emqx=5.8.9',
        'no EMQX release helps: received packets of the client count, and it sends none',
        measured('5.8.3 and 5.8.9 cycle'),
      ),
      transport: 'quic',
    },
    {
      ...attempt('keepalive=30s', 'only makes the cycle longer', measured('2 × keepalive in each case')),
      transport: 'quic',
    },
    {
      ...attempt(
        'send a small QoS 0 message upward more often than the keepalive',
        'no NanoMQ release restarts the TCP ping timer on sends only (up to 0.25.6); upward packets count at the broker',
        'NanoMQ sources',
      ),
      transport: 'tcp',
    },
  ],
  'keepalive-control-stream': [
    fix(
      'emqx=5.8.2',
      'the first release that counts packets of every stream of the connection (not 5.8.3, as often said); seen to cure it',
      measured('the same workload is healthy with 5.8.2'),
    ),
    attempt(
      'quic_qos_priority=true',
      'puts QoS 1 and 2 on the control stream; helps only if such messages are sent more often than the keepalive',
      measured('healthy with a QoS 0/1 mix, cycles with QoS 0'),
    ),
    attempt(
      'nanomq=0.25.3',
      'no NanoMQ release pings while it sends on data streams; seen not to help',
      measured('0.23.10, 0.24.11 and 0.25.3 cycle'),
    ),
  ],
  'stuck-busy': [
    fix(
      'nanomq=0.23.7',
      'clears the busy mark before a parked message is sent (NanoNNG c86a8064e); seen to cure it',
      measured('0.23.7 recovers at once'),
    ),
    fix(
      'nanomq=0.23.10',
      'also stops parking QoS 0 while disconnected; seen to cure it on the workload of the bundled incident',
      measured('0.23.10, 0.24.11 and 0.25.3 recover'),
    ),
    fix(
      'transport=tcp',
      'the TCP client has no such defect; mind keepalive-receive-reset there',
      measured('TCP recovers from the same outage'),
    ),
    attempt(
      'keepalive=30s',
      'only makes the cycle longer: the stall lasts 2 × keepalive',
      measured('95 % lost all the same'),
    ),
    attempt(
      'max_parallel_processes',
      'does not raise uplink concurrency; more contexts (system.parallel) only drop more before the stall shows',
      measured('parallel 16 and max_parallel_processes 8: 91 % lost'),
    ),
  ],
  'parked-before-connect': [
    fix(
      'nanomq=0.23.10',
      'QoS 0 is no longer parked while the bridge is down',
      'NanoNNG e0a11d239; measured on 0.23.10',
    ),
    attempt(
      'publish only once the bridge is up',
      'what is published before occupies contexts',
      measured('parking needs no network fault'),
    ),
  ],
  'receiver-dead': [
    fix(
      'nanomq=0.23.10',
      'the receive is armed again after a stream died',
      measured('the same outages leave 0.23.10 healthy'),
    ),
    attempt(
      'restart NanoMQ',
      'nothing in the process brings the receive back',
      measured('dead until the end of each run'),
    ),
  ],
  'aio-leak': [
    attempt(
      'raise system.parallel, lower resend_interval',
      'each context comes back with a resend, one a tick, from 0.24.3 on with resend_interval',
      measured('one context comes back each 5 s tick'),
    ),
  ],
  'send-error-stuck': [
    attempt(
      'raise EMQX mqtt.max_packet_size above the largest message, or keep messages below it',
      'the packet that is refused never leaves, and no NanoMQ release from 0.23.10 on clears the busy mark',
      measured('0.23.10, 0.24.11, 0.25.3 stall; 0.23.6 loses the large message only'),
    ),
  ],
  'offline-resend-loop': [
    attempt(
      'nanomq=0.25.6',
      'does not submit while offline, so the loop rarely starts',
      'nanomq f2305fb3; not measured',
    ),
    attempt(
      'log.level=info',
      'keeps the loop from filling the disk; the CPU stays busy',
      measured('292 MB of debug log in a minute'),
    ),
  ],
  'second-bridge-ignored': [
    attempt(
      'run a NanoMQ for each QUIC bridge',
      'the counter of connected bridges is shared by the process',
      'NanoMQ sources',
    ),
    attempt('make the second bridge TCP', 'the TCP client does not use the counter', 'NanoMQ sources'),
  ],
  'queue-capacity-zero': [
    fix(
      'max_send_queue_len=128',
      'an absent key means capacity 0',
      measured('0 QoS 1 messages lost with 128, 76 % without the key'),
    ),
  ],
  'aio-load': [
    attempt(
      'raise system.parallel',
      'one QoS 1 or 2 message may be unacknowledged per context; max_parallel_processes does not raise uplink concurrency',
      'NanoMQ sources; nanomq#1832',
    ),
    attempt(
      'shorten the time to the acknowledgement, or send QoS 0',
      'a context is free again when its acknowledgement arrives',
      'NanoMQ sources',
    ),
    attempt(
      'watch the context occupancy (bridgetrace query aio-occupancy)',
      'it rises before messages are dropped',
      'NanoMQ sources',
    ),
  ],
  'resend-starved': [
    attempt(
      'resend_interval=1s with nanomq=0.24.3 or later',
      'one unacknowledged message is sent again each tick; older releases tick every 5 s whatever the setting',
      'NanoMQ sources',
    ),
    attempt('send QoS 0 what may be lost', 'it needs no acknowledgement', 'NanoMQ sources'),
  ],
  'subscribe-competition': [
    attempt(
      'quic_qos_priority=true',
      'SUBSCRIBE then goes out at once on the control stream',
      'NanoMQ sources; not measured',
    ),
  ],
  'keepalive-too-short': [
    attempt('keepalive=30s', 'leaves room for a tick, a resend and a lost packet', 'NanoMQ sources; not measured'),
  ],
  'quic-idle-timeout': [
    fix(
      'quic_keepalive=5s, below quic_idle_timeout',
      'a QUIC PING then keeps the connection from idling out',
      measured('0 disconnects with 5 s against 15 s'),
    ),
  ],
  'transport-loss': [
    attempt(
      'look at the path: loss, NAT and firewall UDP time-outs, MTU',
      'the transport gave the connection up',
      'QUIC: RFC 9000 §10',
    ),
    attempt(
      'nanomq=0.24.9',
      'quic_initial_rtt_ms = 800ms means 48 s before it: a lost first packet then costs a whole handshake time-out',
      measured('reconnects after 22 to 29 s, 9 to 11 s with 0.24.11'),
    ),
  ],
  'client-id-clash': [
    fix(
      'give every client its own client id',
      'MQTT allows one connection a client id; the broker ends the older one',
      '[MQTT-3.1.4-3]',
    ),
  ],
  'broker-restart': [
    attempt(
      'find out why the broker stopped; plan restarts',
      'the bridge reconnects by itself, but messages in between are lost or parked',
      measured('restarts of EMQX'),
    ),
  ],
  'broker-unresponsive': [
    attempt(
      'look at the host of the broker: CPU, memory, disk, suspend',
      'the process did nothing for that time',
      measured('a frozen EMQX'),
    ),
  ],
  'auth-refused': [
    attempt(
      'correct the credentials, the ACL or the ban at the broker',
      'NanoMQ never logs the refusal, and may even log "connected"',
      measured('9 of 32 refusals were logged as connected'),
    ),
  ],
  kicked: [
    attempt(
      'find who kicks: dashboard, API, rule or script',
      'the broker acts on an administrative request',
      '[MQTT-3.14.2] reason code 0x98',
    ),
  ],
  'bridge-stopped-retrying': [
    attempt('restart NanoMQ', 'it will not dial again by itself', measured('no dial for 130 s')),
    fix('nanomq=0.23.10', 'the receive that lost the event is armed again', measured('9 restarts without the race')),
  ],
  crash: [attempt('keep the core dump and the end of the log', 'the log ends without a signal or a shutdown', COLLECT)],
  'keepalive-cycle-undetermined': [],
};

export function adviceFor(id: string, story: Pick<BridgeStory, 'transport'>): Advice[] {
  return (ADVICE[id] ?? [])
    .filter((row) => row.transport === undefined || row.transport === (story.transport ?? 'quic'))
    .map(({ transport: _transport, ...advice }) => advice);
}
