/** `bridgetrace broker`: the test broker on real sockets. */
import { createWriteStream, readFileSync, writeFileSync } from 'node:fs';
import { parseAclRule } from '../../engine/broker/access.ts';
import { type AclRule, OPEN_RULES } from '../../engine/broker/rules.ts';
import { brokerProfile, DEFAULT_BROKER_SETTINGS, type SimRecord } from '../../engine/index.ts';
import { addressText } from '../../engine/live/address.ts';
import type { ListenerOptions } from '../../engine/live/broker-side.ts';
import { createCertificate } from '../../engine/live/certificate.ts';
import { serveBroker } from '../../engine/live/serve-broker.ts';
import { InputError, UsageError } from '../../queries/index.ts';
import { printEmqxLine } from '../../replay/print-emqx.ts';
import { addCommonOptions, exitingWith, type RegisterCommand, withExample } from '../command-helpers.ts';
import type { CliContext } from '../context.ts';
import { parseCount } from './common.ts';
import { readPem, rethrow, untilStopped } from './live-options.ts';

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;
const PORT_MAX = 65_535;
const more = (value: string, others: string[]): string[] => [...others, value];

export const register: RegisterCommand = (program, context) => {
  const command = program
    .command('broker')
    .description(
      'run the test broker on real sockets, MQTT over QUIC and TCP, with the log of an EMQX on standard output',
    )
    .option('--emqx <release>', 'behave like this EMQX release', '5.8.2')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--quic <port>', 'UDP port of the QUIC listener; 0: any, off: none', '14567')
    .option('--tcp <port>', 'TCP port of the plain listener; 0: any, off: none', '1883')
    .option('--tls <port>', 'TCP port of the TLS listener; 0: any, off: none', 'off')
    .option(
      '--cert <file>',
      'certificate with its chain, PEM (default: a self-signed one for localhost, made at start)',
    )
    .option('--key <file>', 'its private key, PEM')
    .option('--client-ca <file>', 'clients must show a certificate of this authority')
    .option('--write-ca <file>', 'write the certificate to trust into this file')
    .option('--keylog <file>', 'append the TLS secrets to this file')
    .option('--users-file <file>', 'only these users may connect: a line NAME:PASSWORD each, # starts a comment')
    .option(
      '--user <name:password>',
      'the same for one user; every user of this machine can read it; may be given again',
      more,
      [] as string[],
    )
    .option(
      '--acl <rule>',
      "'allow|deny USER|* publish|subscribe|all FILTER', the first that fits decides; may be given again",
      more,
      [] as string[],
    )
    .option('--log-level <level>', LEVELS.join(', '), 'debug')
    .option('--log-file <file>', 'write the log there instead of standard output')
    .option('--max-packet-size <bytes>', 'longest packet', '1048576')
    .option('--max-connections <n>', 'connections a listener holds', '1024')
    .option('--max-mqueue-len <n>', 'messages that wait for a slow or absent client', '1000')
    .option('--max-inflight <n>', 'unacknowledged deliveries to a client', '32')
    .option('--server-keepalive <s>', 'keepalive that clients are told to use (MQTT 5)');
  withExample(
    command,
    'bridgetrace broker --emqx 5.7.0 --write-ca ca.pem',
    "bridgetrace broker --tcp 0 --quic off --users-file users.txt --acl 'deny edge publish admin/#'",
  );
  addCommonOptions(command).action(
    exitingWith(context, async (options) => {
      const listeners = (['quic', 'tcp', 'tls'] as const).flatMap((transport): ListenerOptions[] => {
        const port = options[transport];
        if (port === 'off') return [];
        return [{ transport, host: options.host, port: parseCount(`--${transport}`, port, 0, PORT_MAX) }];
      });
      if (listeners.length === 0) throw new UsageError('no-listener', 'All listeners are off.');
      const logLevel = LEVELS.find((level) => level === options.logLevel);
      if (!logLevel) throw new UsageError('bad-level', `--log-level ${options.logLevel}: ${LEVELS.join(', ')}.`);
      if ((options.cert === undefined) !== (options.key === undefined)) {
        throw new UsageError('cert-without-key', '--cert and --key go together.');
      }
      const own = options.cert === undefined ? createCertificate() : null;
      const certificatePem = own?.certificatePem ?? readPem(options.cert!);
      const { profile, note } = brokerRelease(options.emqx);
      if (note) context.stderr.write(`${note}\n`);
      const output =
        options.logFile === undefined ? context.stdout : createWriteStream(options.logFile, { flags: 'a' });
      const { stopped, failed } = untilStopped(context.signal);
      const print = { release: options.emqx, start: Date.now() * 1000 };
      const settings = {
        ...DEFAULT_BROKER_SETTINGS,
        logLevel,
        maxPacketSize: parseCount('--max-packet-size', options.maxPacketSize, 16, 268_435_455),
        maxMqueueLen: parseCount('--max-mqueue-len', options.maxMqueueLen, 1, 1_000_000),
        maxInflight: parseCount('--max-inflight', options.maxInflight, 1, 65_535),
        serverKeepaliveS:
          options.serverKeepalive === undefined
            ? null
            : parseCount('--server-keepalive', options.serverKeepalive, 0, 65_535),
      };
      const server = await serveBroker({
        profile,
        settings,
        rules: { ...OPEN_RULES, users: readUsers(options, context.stderr), acl: options.acl.map(parseAcl) },
        listeners,
        tls: {
          certificatePem,
          privateKeyPem: own?.privateKeyPem ?? readPem(options.key!),
          clientCaPem: options.clientCa === undefined ? null : readPem(options.clientCa),
          keylogFile: options.keylog ?? null,
        },
        connectionsMax: parseCount('--max-connections', options.maxConnections, 1, 100_000),
        sink: (record: SimRecord) => {
          const line = printEmqxLine(record, print);
          if (line !== null) output.write(`${line}\n`);
        },
        failed,
      }).catch(rethrow);
      if (options.writeCa !== undefined) {
        writeFileSync(options.writeCa, certificatePem);
      }
      for (const address of server.addresses) {
        context.stderr.write(`listening on mqtt-${address.transport}://${addressText(address)}\n`);
      }
      try {
        await stopped;
      } finally {
        await server.stop();
        if (output !== context.stdout) output.end();
      }
      return undefined;
    }),
  );
};

function brokerRelease(release: string): { profile: ReturnType<typeof brokerProfile>['profile']; note: string | null } {
  const chosen = brokerProfile(release);
  return { profile: chosen.profile, note: 'note' in chosen && chosen.note ? String(chosen.note) : null };
}

interface UserFlags {
  readonly user: readonly string[];
  readonly usersFile?: string;
}

/** @returns null: anybody may connect */
function readUsers({ user, usersFile }: UserFlags, stderr: CliContext['stderr']): ReadonlyMap<string, string> | null {
  if (user.length > 0) {
    stderr.write('--user: the list of processes shows the password to everybody on this machine; use --users-file.\n');
  }
  if (user.length === 0 && usersFile === undefined) return null;
  const fromFile = usersFile === undefined ? [] : userLines(usersFile);
  return new Map([
    ...fromFile.map(([number, line]) => parseUser(line, `${usersFile}:${number}`)),
    ...user.map((text) => parseUser(text, '--user')),
  ]);
}

/** Line numbers, and lines that are neither empty nor a comment. */
function userLines(file: string): [number, string][] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const details = { file, hint: 'Name a file with a line NAME:PASSWORD a user.', cause: error };
    throw new InputError('not-found', `${file} cannot be read: ${String(error)}`, details);
  }
  const lines = text.split(/\r?\n/).map((line, index): [number, string] => [index + 1, line]);
  return lines.filter(([, line]) => line.trim() !== '' && !line.startsWith('#'));
}

/** The text is not repeated in the error: it may be a password. */
function parseUser(text: string, where: string): [name: string, password: string] {
  const colon = text.indexOf(':');
  if (colon < 1) throw new UsageError('bad-user', `${where}: write NAME:PASSWORD.`);
  return [text.slice(0, colon), text.slice(colon + 1)];
}

function parseAcl(text: string): AclRule {
  const rule = parseAclRule(text);
  if (rule) return rule;
  throw new UsageError('bad-acl', `--acl ${text} is no rule.`, {
    hint: "Write 'allow|deny USER|* publish|subscribe|all FILTER', for example 'deny * publish admin/#'.",
  });
}
