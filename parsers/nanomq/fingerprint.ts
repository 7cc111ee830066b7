/**
 * Which NanoMQ release wrote a log: the source line of a few statements moves from release to release
 * (spec nanomq-logs.md section 1.5).
 */
import { RELEASES } from './releases.ts';

interface FingerprintRow {
  readonly file: string;
  readonly events: readonly string[];
  /** Source line -> `FROM–TO` or a single release. */
  readonly lines: { readonly [line: number]: string };
}

/** One record's evidence. */
export interface SeenStatement {
  readonly event: string | null;
  readonly file: string | null;
  readonly line: number | null;
  readonly lineNo?: number; // of the log, for the reader
}

export interface ReleaseRange {
  readonly from: string;
  readonly to: string;
  readonly releases: readonly string[];
  readonly restsOn: readonly { file: string; line: number; event: string; lineNo: number | null }[];
}

const FINGERPRINT: readonly FingerprintRow[] = [
  { file: 'mqtt_quic_client.c', events: ['cached_msg_lost'], lines: { 334: '0.22.10–0.23.2', 360: '0.23.3–0.23.9' } },
  {
    file: 'mqtt_quic_client.c',
    events: ['bridge_recv_error'],
    lines: {
      444: '0.22.10–0.23.2',
      479: '0.23.3–0.23.6',
      483: '0.23.7–0.23.9',
      500: '0.23.10–0.24.2',
      505: '0.24.3–0.25.3',
      507: '0.25.6',
    },
  },
  {
    file: 'mqtt_quic_client.c',
    events: ['ping_sent'],
    lines: {
      787: '0.22.10–0.23.1',
      785: '0.23.2',
      829: '0.23.3–0.23.6',
      833: '0.23.7–0.23.9',
      854: '0.23.10–0.24.2',
      857: '0.24.3–0.25.3',
      867: '0.25.6',
    },
  },
  {
    file: 'mqtt_quic_client.c',
    events: ['msg_cached_disconnected'],
    lines: {
      1370: '0.22.10–0.23.1',
      1362: '0.23.2',
      1456: '0.23.3–0.23.6',
      1460: '0.23.7–0.23.9',
      1493: '0.23.10–0.24.2',
      1536: '0.24.3–0.25.3',
      1546: '0.25.6',
    },
  },
  { file: 'broker.c', events: ['aio_busy'], lines: { 287: '0.22.10–0.24.0', 294: '0.24.1' } },
  {
    file: 'bridge.c',
    events: ['aio_busy'],
    lines: {
      1852: '0.24.2–0.24.3',
      1853: '0.24.4',
      1854: '0.24.5–0.24.8',
      1855: '0.24.9',
      1861: '0.24.10–0.24.12',
      1890: '0.24.13',
      1896: '0.24.14–0.25.2',
      1946: '0.25.3',
      1970: '0.25.6',
    },
  },
  {
    file: 'bridge.c',
    events: ['bridge_connected'],
    lines: {
      865: '0.22.10',
      866: '0.23.0–0.23.2',
      876: '0.23.3–0.23.7',
      974: '0.23.8',
      989: '0.23.9',
      995: '0.23.10–0.24.0',
      905: '0.24.1–0.24.4',
      906: '0.24.5–0.24.8',
      907: '0.24.9',
      911: '0.24.10–0.24.12',
      926: '0.24.13',
      928: '0.24.14–0.25.2',
      941: '0.25.3',
      940: '0.25.6',
    },
  },
  {
    file: 'bridge.c',
    events: ['bridge_subscribe_start'],
    lines: {
      878: '0.22.10',
      879: '0.23.0–0.23.2',
      889: '0.23.3–0.23.7',
      987: '0.23.8',
      1002: '0.23.9',
      1008: '0.23.10–0.24.0',
      918: '0.24.1–0.24.4',
      919: '0.24.5–0.24.8',
      920: '0.24.9',
      924: '0.24.10–0.24.12',
      939: '0.24.13',
      941: '0.24.14–0.25.2',
      954: '0.25.3',
      960: '0.25.6',
    },
  },
  { file: 'msquic_dial.c', events: ['quic_dial_begin'], lines: { 464: '0.22.10–0.23.0', 500: '0.23.1–0.25.6' } },
  {
    file: 'msquic_dial.c',
    events: ['quic_fin_received'],
    lines: {
      1357: '0.22.10–0.23.0',
      1402: '0.23.1',
      1403: '0.23.2–0.24.8',
      1405: '0.24.9–0.24.13',
      1406: '0.24.14–0.25.3',
      1409: '0.25.6',
    },
  },
  {
    file: 'mqtt_client.c',
    events: ['ping_sent'],
    lines: {
      665: '0.22.10–0.23.2',
      759: '0.23.3–0.23.9',
      774: '0.23.10–0.24.1',
      775: '0.24.2',
      783: '0.24.3–0.24.4',
      780: '0.24.5–0.24.14',
      791: '0.25.1–0.25.6',
    },
  },
  {
    file: 'mqtt_client.c',
    events: ['bridge_recv_error'],
    lines: {
      787: '0.22.10–0.23.2',
      893: '0.23.3–0.23.9',
      908: '0.23.10–0.24.1',
      909: '0.24.2',
      918: '0.24.3–0.24.4',
      915: '0.24.5–0.24.14',
      926: '0.25.1–0.25.3',
      928: '0.25.6',
    },
  },
];

/**
 * The releases that fit every statement seen, oldest to newest; null if none of them tells anything or they contradict each
 * other (a log of two releases, or one that is not known).
 */
export function releaseRange(seen: Iterable<SeenStatement>): ReleaseRange | null {
  let fitting: readonly string[] = RELEASES;
  const restsOn: ReleaseRange['restsOn'][number][] = [];
  const known = new Set<string>();
  for (const { event, file, line, lineNo } of seen) {
    if (event === null || file === null || line === null) continue;
    const key = `${file}:${line}:${event}`;
    if (known.has(key)) continue;
    known.add(key);
    const range = FINGERPRINT.find((row) => row.file === file && row.events.includes(event))?.lines[line];
    if (range === undefined) continue;
    const releases = releasesOf(range);
    fitting = fitting.filter((release) => releases.includes(release));
    restsOn.push({ file, line, event, lineNo: lineNo ?? null });
  }
  if (restsOn.length === 0 || fitting.length === 0) return null;
  return { from: fitting[0]!, to: fitting[fitting.length - 1]!, releases: fitting, restsOn };
}

function releasesOf(range: string): readonly string[] {
  const [from, to] = range.split('–');
  const first = RELEASES.indexOf(from!);
  const last = RELEASES.indexOf(to ?? from!);
  return RELEASES.slice(first, last + 1);
}
