/** Server, identity, session, TLS of a bridge. */

import type { BridgeRule, FileRule, LintRule } from '../rule.ts';
import { type BridgeScope, SCHEMES, scalarAt, spanAt, textAt } from '../scope.ts';
import { HIDDEN } from '../secrets.ts';

const isOn = (bridge: BridgeScope): boolean => scalarAt(bridge.group, 'enable')?.value !== false;

const bridgeRules: readonly BridgeRule[] = [
  {
    id: 'server-missing',
    title: 'The bridge has no server',
    level: 'error',
    scope: 'bridge',
    leadsTo: null,
    source: 'nanomq/bridge.c: "invalid bridging config! node address is null!"',
    advice: 'Write server = "mqtt-quic://HOST:14567" or "mqtt-tcp://HOST:1883".',
    check: (bridge) =>
      bridge.server === null
        ? [{ span: spanAt(bridge, 'server'), message: `The bridge ${bridge.name} has no server, and does nothing.` }]
        : [],
  },
  {
    id: 'server-scheme',
    title: 'The server has no scheme that NanoMQ knows',
    level: 'error',
    scope: 'bridge',
    leadsTo: null,
    source: 'nanomq-logs §3.2',
    advice: `Begin with one of ${Object.keys(SCHEMES)
      .map((scheme) => `${scheme}://`)
      .join(', ')}.`,
    check: (bridge) =>
      bridge.server !== null && bridge.transport === null
        ? [
            {
              span: spanAt(bridge, 'server'),
              message: `${shownServer(bridge.server)} has none of the schemes ${Object.keys(SCHEMES).join(', ')}.`,
            },
          ]
        : [],
  },
  {
    id: 'quic-port-missing',
    title: 'A QUIC server without a port is refused',
    level: 'error',
    scope: 'bridge',
    leadsTo: 'bridge-stopped-retrying',
    source: 'nanomq-bridge-model §6: refused with error 15',
    advice: 'Write the port: EMQX listens for QUIC on 14567.',
    check: (bridge) =>
      bridge.transport === 'quic' && !/:\d+(?:\/|$)/.test((bridge.server ?? '').replace(/^[a-z+-]+:\/\//, ''))
        ? [{ span: spanAt(bridge, 'server'), message: 'The address has no port; over QUIC it must have one.' }]
        : [],
  },
  {
    id: 'mqtt31-over-quic',
    title: 'proto_ver 3 over QUIC sends another CONNECT',
    level: 'error',
    scope: 'bridge',
    leadsTo: 'auth-refused',
    source: 'nanomq-bridge-model §4 (QT:mqtt_quictran_pipe_start)',
    advice: 'proto_ver = 4 or 5.',
    check: (bridge) =>
      bridge.transport === 'quic' && scalarAt(bridge.group, 'proto_ver')?.value === 3
        ? [
            {
              span: spanAt(bridge, 'proto_ver'),
              message:
                'Over QUIC this CONNECT is replaced by one of MQTT 3.1.1 with keepalive 60 s, clean session and no user.',
            },
          ]
        : [],
  },
  {
    id: 'quic-certificate-unchecked',
    title: 'QUIC checks no certificate without a client certificate',
    level: 'warning',
    scope: 'bridge',
    leadsTo: null,
    source: 'nanomq-bridge-model §6 (QD:msquic_load_config)',
    advice: 'Give certfile and keyfile as well, or know that any broker is taken.',
    check: (bridge) => {
      const ssl = bridge.group.entries.get('ssl');
      if (bridge.transport !== 'quic' || ssl?.value?.kind !== 'group') return [];
      if (textAt(ssl.value, 'certfile') !== null && textAt(ssl.value, 'keyfile') !== null) return [];
      return [
        {
          span: ssl.keySpan,
          message: 'Over QUIC ssl counts only with certfile and keyfile: the broker’s certificate is not checked.',
        },
      ];
    },
  },
  {
    id: 'session-not-kept',
    title: 'clean_start=false without a session expiry keeps nothing',
    level: 'warning',
    scope: 'bridge',
    leadsTo: null,
    source: 'MQTT 5.0 §3.1.2.11.2; nanomq-logs §3.2 (session_expiry_interval is 0)',
    advice: 'conn_properties.session_expiry_interval = 3600, or as long as outages last.',
    check: (bridge) => {
      const { settings } = bridge;
      return settings.protocol === 5 && !settings.cleanStart && (settings.sessionExpiryS ?? 0) === 0
        ? [
            {
              span: spanAt(bridge, 'clean_start'),
              message:
                'With MQTT 5 the session ends with the connection, since session_expiry_interval is 0: messages to the bridge are lost while it is away.',
            },
          ]
        : [];
    },
  },
  {
    id: 'session-without-clientid',
    title: 'A session is kept for a client id that changes',
    level: 'warning',
    scope: 'bridge',
    leadsTo: null,
    source: 'MQTT 5.0 §3.1.3.1',
    advice: 'Give the bridge a clientid of its own.',
    check: (bridge) =>
      !bridge.settings.cleanStart && bridge.server !== null && textAt(bridge.group, 'clientid') === null
        ? [
            {
              span: spanAt(bridge, 'clean_start'),
              message:
                'clean_start=false without a clientid: after a restart the broker takes the bridge for another client.',
            },
          ]
        : [],
  },
  {
    id: 'will-incomplete',
    title: 'A will needs topic and payload',
    level: 'warning',
    scope: 'bridge',
    leadsTo: null,
    source: 'nanomq-logs §3.2',
    advice: 'Give both, or take the will out.',
    check: (bridge) => {
      const will = bridge.group.entries.get('will');
      if (will?.value?.kind !== 'group') return [];
      const missing = ['topic', 'payload'].filter((key) => scalarAt(will.value as typeof bridge.group, key) === null);
      return missing.length === 0
        ? []
        : [{ span: will.keySpan, message: `The will has no ${missing.join(' and no ')}: none is sent.` }];
    },
  },
  {
    id: 'hybrid-without-backoff',
    title: 'Hybrid bridging has no back-off',
    level: 'note',
    scope: 'bridge',
    leadsTo: null,
    source: 'nanomq-bridge-model §3.3',
    advice: 'Expect a dial a second at most while the broker is away.',
    check: (bridge) =>
      bridge.settings.hybrid
        ? [
            {
              span: spanAt(bridge, 'hybrid_bridging'),
              message: 'In hybrid mode backoff_max is not used: a redial comes after less than a second.',
            },
          ]
        : [],
  },
];

const fileRules: readonly FileRule[] = [
  {
    id: 'same-clientid',
    title: 'Two bridges to one broker have the same client id',
    level: 'error',
    scope: 'file',
    leadsTo: 'client-id-clash',
    source: 'MQTT 5.0 §3.1.4-3; measured: the two take the session from each other (06)',
    advice: 'Give each bridge a clientid of its own.',
    check: ({ bridges }) => {
      const seen = new Map<string, BridgeScope>();
      return bridges.filter(isOn).flatMap((bridge) => {
        const id = textAt(bridge.group, 'clientid');
        if (id === null || bridge.server === null) return [];
        const key = JSON.stringify([hostOf(bridge.server), id]);
        const first = seen.get(key);
        if (first === undefined) seen.set(key, bridge);
        return first === undefined
          ? []
          : [
              {
                span: spanAt(bridge, 'clientid'),
                message: `The bridges ${first.name} and ${bridge.name} have the same client id at one broker: each connect ends the other’s session.`,
                related: [{ span: spanAt(first, 'clientid'), message: `The client id of ${first.name}.` }],
              },
            ];
      });
    },
  },
  {
    id: 'two-quic-bridges',
    title: 'Only one QUIC bridge of a process subscribes',
    level: 'error',
    scope: 'file',
    leadsTo: 'second-bridge-ignored',
    source: 'nanomq-bridge-model §4, D9; measured 2.8: 49 of 49 downlink messages lost, from 0.24.14 the uplink too',
    advice: 'Run one NanoMQ for each QUIC bridge, or let one of them go over TCP.',
    check: ({ bridges }) => {
      const quic = bridges.filter((bridge) => bridge.transport === 'quic' && isOn(bridge));
      const [first, ...others] = quic;
      if (first === undefined || !quic.some(({ subscriptions }) => subscriptions.length > 0)) return [];
      return others.map((bridge) => ({
        span: spanAt(bridge, 'server'),
        message: `${bridge.name} is another QUIC bridge: whichever connects later never subscribes.`,
        related: [{ span: spanAt(first, 'server'), message: 'The first QUIC bridge.' }],
      }));
    },
  },
];

export const connectionRules: readonly LintRule[] = [...bridgeRules, ...fileRules];

function shownServer(server: string): string {
  const hidden = server.replace(/^([^@]*\/\/)?[^@]*@/, `$1${HIDDEN}@`);
  return hidden.length > 60 ? `${hidden.slice(0, 59)}…` : hidden;
}

function hostOf(server: string): string {
  return server.replace(/^[a-z+-]+:\/\//, '').replace(/:\d+.*$/, '');
}
