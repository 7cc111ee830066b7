/** `bridgetrace bridge`: the reference bridge as a stand-in for NanoMQ, from its nanomq.conf. */
import { createWriteStream } from 'node:fs';
import { OPEN_RULES } from '../../engine/broker/rules.ts';
import {
  type BridgeConf,
  bridgeProfile,
  bridgeSettings,
  brokerProfile,
  type ConfValue,
  DEFAULT_BROKER_SETTINGS,
  type SimRecord,
} from '../../engine/index.ts';
import { addressText, parseBrokerUrl } from '../../engine/live/address.ts';
import { createCertificate } from '../../engine/live/certificate.ts';
import { type ForwardRule, serveBridge } from '../../engine/live/serve-bridge.ts';
import { InputError, UsageError } from '../../queries/index.ts';
import { printNanomqLine } from '../../replay/print-nanomq.ts';
import { addCommonOptions, exitingWith, type RegisterCommand, withExample } from '../command-helpers.ts';
import { parseCount } from './common.ts';
import { clientTls, readPem, rethrow, untilStopped } from './live-options.ts';
import { type HoconObject, type HoconValue, isObject, readConfFile } from './nanomq-conf-file.ts';

const PORT_MAX = 65_535;

export const register: RegisterCommand = (program, context) => {
  const command = program
    .command('bridge')
    .description(
      'run the reference bridge from a nanomq.conf, with an MQTT listener for local clients and the log of a NanoMQ',
    )
    .argument('<nanomq.conf>', 'with one bridge under bridges.mqtt, or name it with --name')
    .option('--nanomq <release>', 'behave like this NanoMQ release', '0.23.10')
    .option('--name <bridge>', 'which bridge of the file')
    .option('--listen <port>', 'TCP port for local clients; 0: any', '1883')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--ca <file>', 'authority that signed the certificate of the broker, PEM')
    .option('--cert <file>', 'client certificate, PEM')
    .option('--key <file>', 'its private key, PEM')
    .option('--server-name <name>', 'name that the certificate of the broker must have')
    .option('--insecure', 'take any certificate')
    .option('--keylog <file>', 'append the TLS secrets to this file')
    .option('--log-file <file>', 'write the log there instead of standard output');
  withExample(command, 'bridgetrace bridge nanomq.conf --nanomq 0.23.1 --ca ca.pem --listen 1884');
  addCommonOptions(command).action(
    exitingWith(context, async (file, options) => {
      const conf = readConfFile(file);
      const bridge = chooseBridge(conf, file, options.name);
      const server = bridge.server;
      if (typeof server !== 'string') throw new InputError('no-server', `${file}: the bridge has no server.`, { file });
      const target = await Promise.resolve(server).then(parseBrokerUrl).catch(rethrow);
      const transport = target.transport === 'quic' ? 'quic' : 'tcp';
      const { settings, ignored } = bridgeSettings(options.nanomq, transport, flatConf(conf, bridge));
      for (const { key, why } of ignored) context.stderr.write(`${key}: ${why}\n`);
      const ssl = isObject(bridge.ssl) ? bridge.ssl : {};
      const tls = clientTls({ ...options, ca: options.ca ?? fileOf(ssl.cacertfile) });
      const output =
        options.logFile === undefined ? context.stdout : createWriteStream(options.logFile, { flags: 'a' });
      const { stopped, failed } = untilStopped(context.signal);
      const print = { release: options.nanomq, start: Date.now() * 1000 };
      const own = createCertificate();
      const running = await serveBridge({
        profile: bridgeProfile(options.nanomq, transport).profile,
        settings: { ...settings, address: server },
        password: typeof bridge.password === 'string' ? bridge.password : null,
        forwards: forwardsOf(bridge.forwards, file),
        target,
        tls: {
          ...tls,
          certificatePem: tls.certificatePem ?? pemOf(ssl.certfile),
          privateKeyPem: tls.privateKeyPem ?? pemOf(ssl.keyfile),
        },
        local: {
          profile: brokerProfile('5.8.4').profile,
          settings: { ...DEFAULT_BROKER_SETTINGS, logLevel: 'error' },
          rules: OPEN_RULES,
          listeners: [
            { transport: 'tcp', host: options.host, port: parseCount('--listen', options.listen, 0, PORT_MAX) },
          ],
          tls: { ...own, clientCaPem: null, keylogFile: null },
          connectionsMax: 1_024,
        },
        sink: (record: SimRecord) => {
          const line = printNanomqLine(record, print);
          if (line !== null) output.write(`${line}\n`);
          if (record.event === 'live_transport_failure') {
            context.stderr.write(`connection to ${server} ended: ${record.fields?.reason}\n`);
          }
        },
        failed,
      }).catch(rethrow);
      context.stderr.write(`listening on mqtt-tcp://${addressText(running.addresses[0]!)}, bridging to ${server}\n`);
      try {
        await stopped;
      } finally {
        await running.stop();
        if (output !== context.stdout) output.end();
      }
      return undefined;
    }),
  );
};

export function chooseBridge(conf: HoconObject, file: string, name: string | undefined): HoconObject {
  const all = isObject(conf.bridges) && isObject(conf.bridges.mqtt) ? conf.bridges.mqtt : {};
  const names = Object.keys(all).filter((key) => isObject(all[key]) && (all[key] as HoconObject).server !== undefined);
  const chosen = name ?? (names.length === 1 ? names[0] : undefined);
  const bridge = chosen === undefined ? undefined : all[chosen];
  if (isObject(bridge)) return bridge;
  if (names.length === 0) throw new InputError('no-bridge', `${file} has no bridge under bridges.mqtt.`, { file });
  throw new UsageError('which-bridge', `${file} has the bridges ${names.join(', ')}.`, { hint: 'Choose one: --name.' });
}

/** As `bridgeSettings` reads it: keys of the bridge, and the two from outside of it. */
export function flatConf(conf: HoconObject, bridge: HoconObject): BridgeConf {
  const flat: Record<string, ConfValue | undefined> = {};
  for (const [key, value] of Object.entries(bridge)) {
    if (isScalar(value)) flat[key] = value;
    else if (key === 'conn_properties' && isObject(value)) {
      for (const [inner, property] of Object.entries(value)) if (isScalar(property)) flat[`${key}.${inner}`] = property;
    }
  }
  const parallel = isObject(conf.system) ? conf.system.parallel : undefined;
  const level = isObject(conf.log) ? conf.log.level : undefined;
  const subscription = Array.isArray(bridge.subscription) ? bridge.subscription.filter(isObject) : [];
  return {
    ...flat,
    ...(isScalar(parallel) ? { 'system.parallel': parallel } : {}),
    ...(isScalar(level) ? { 'log.level': level } : {}),
    subscription: subscription.map(({ remote_topic, qos }) => ({
      remote_topic: String(remote_topic),
      qos: Number(qos ?? 0),
    })),
  };
}

function isScalar(value: HoconValue | undefined): value is ConfValue {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

function forwardsOf(value: HoconValue | undefined, file: string): ForwardRule[] {
  if (!Array.isArray(value)) return [];
  return value.map((item: HoconValue): ForwardRule => {
    if (typeof item === 'string') return { local: item, remote: null, qos: null };
    if (!isObject(item)) throw new InputError('bad-conf', `${file}: a rule of forwards is no object.`, { file });
    const { local_topic, remote_topic, qos } = item;
    const remote = typeof remote_topic === 'string' && remote_topic !== '' ? remote_topic : null;
    return {
      local: String(local_topic ?? remote_topic ?? '#'),
      remote,
      qos: qos === 0 || qos === 1 || qos === 2 ? qos : null,
    };
  });
}

function fileOf(value: HoconValue | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function pemOf(value: HoconValue | undefined): string | null {
  const file = fileOf(value);
  return file === undefined ? null : readPem(file);
}
