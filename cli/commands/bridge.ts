/** `bridgetrace bridge`: the reference bridge as a stand-in for NanoMQ, from its nanomq.conf. */
import { createWriteStream } from 'node:fs';
import { OPEN_RULES } from '../../engine/broker/rules.ts';
import {
  bridgeProfile,
  bridgeSettings,
  brokerProfile,
  DEFAULT_BROKER_SETTINGS,
  type SimRecord,
} from '../../engine/index.ts';
import { addressText, parseBrokerUrl } from '../../engine/live/address.ts';
import { createCertificate } from '../../engine/live/certificate.ts';
import { type ForwardRule, serveBridge } from '../../engine/live/serve-bridge.ts';
import { itemsOf, type SettingGroup, type SettingValue, settingAt } from '../../parsers/index.ts';
import { InputError } from '../../queries/index.ts';
import { confOf, scalarAt, textAt } from '../../queries/lint/index.ts';
import { printNanomqLine } from '../../replay/print-nanomq.ts';
import { addCommonOptions, exitingWith, type RegisterCommand, withExample } from '../command-helpers.ts';
import { parseCount } from './common.ts';
import { chooseBridge, readSettings } from './conf-files.ts';
import { clientTls, readPem, rethrow, untilStopped } from './live-options.ts';

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
      const conf = readSettings(file, context.cwd);
      const bridge = chooseBridge(conf, file, options.name);
      const server = textAt(bridge, 'server');
      if (server === null) throw new InputError('no-server', `${file}: the bridge has no server.`, { file });
      const target = await Promise.resolve(server).then(parseBrokerUrl).catch(rethrow);
      const transport = target.transport === 'quic' ? 'quic' : 'tcp';
      const { settings, ignored } = bridgeSettings(options.nanomq, transport, confOf(bridge, conf));
      for (const { key, why } of ignored) context.stderr.write(`${key}: ${why}\n`);
      const tls = clientTls({ ...options, ca: options.ca ?? fileOf(bridge, 'cacertfile') });
      const output =
        options.logFile === undefined ? context.stdout : createWriteStream(options.logFile, { flags: 'a' });
      const { stopped, failed } = untilStopped(context.signal);
      const print = { release: options.nanomq, start: Date.now() * 1000 };
      const own = createCertificate();
      const running = await serveBridge({
        profile: bridgeProfile(options.nanomq, transport).profile,
        settings: { ...settings, address: server },
        password: textAt(bridge, 'password'),
        forwards: forwardsOf(bridge),
        target,
        tls: {
          ...tls,
          certificatePem: tls.certificatePem ?? pemOf(bridge, 'certfile'),
          privateKeyPem: tls.privateKeyPem ?? pemOf(bridge, 'keyfile'),
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

/** As NanoMQ: a rule without both topics is passed over; an empty remote topic keeps the name. */
function forwardsOf(bridge: SettingGroup): ForwardRule[] {
  return itemsOf(settingAt(bridge, 'forwards')?.value).flatMap((item: SettingValue): ForwardRule[] => {
    if (item.kind !== 'group') return [];
    const local = textAt(item, 'local_topic');
    const remote = textAt(item, 'remote_topic');
    if (local === null || remote === null) return [];
    const qos = scalarAt(item, 'qos')?.value;
    return [{ local, remote: remote === '' ? null : remote, qos: qos === 0 || qos === 1 || qos === 2 ? qos : null }];
  });
}

function fileOf(bridge: SettingGroup, key: string): string | undefined {
  return textAt(bridge, 'ssl', key) || undefined;
}

function pemOf(bridge: SettingGroup, key: string): string | null {
  const file = fileOf(bridge, key);
  return file === undefined ? null : readPem(file);
}
