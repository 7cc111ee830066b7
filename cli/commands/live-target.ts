/** `--mode live` and the options that go with it, for the commands that replay. */
import { randomBytes } from 'node:crypto';
import type { Command, OptionValues } from '@commander-js/extra-typings';
import type { Command as UntypedCommand } from 'commander';
import { addressText, parseBrokerUrl } from '../../engine/live/address.ts';
import { foreignIdentity, originalIdentity } from '../../engine/live/identity.ts';
import type { BrokerFacts } from '../../engine/live/live-broker.ts';
import { UsageError } from '../../queries/index.ts';
import type { LiveRequest } from '../../replay/index.ts';
import type { CliContext } from '../context.ts';
import { clientTls, rethrow, type TlsFlags } from './live-options.ts';

export interface LiveFlags extends TlsFlags {
  readonly mode: string;
  readonly speed: string;
  readonly broker?: string;
  readonly username?: string;
  readonly keepIdentity?: true;
}

/** Tells the runs against one broker apart. */
export function randomWord(): string {
  return randomBytes(4).toString('hex');
}

const LIVE_OPTIONS: readonly (readonly [flags: string, description: string, byDefault?: string])[] = [
  ['--mode <mode>', 'sim (simulated network, virtual time) or live (real sockets, real time)', 'sim'],
  ['--speed <factor>', 'live: this many times as fast as the incident was, 5 at most', '1'],
  ['--broker <url>', 'live: against this broker, mqtt-quic://host:port, mqtt-tcp:// or mqtt-tls://, not our own'],
  ['--ca <file>', 'authority that signed its certificate, PEM'],
  ['--cert <file>', 'client certificate, PEM'],
  ['--key <file>', 'its private key, PEM'],
  ['--server-name <name>', 'name that its certificate must have'],
  ['--insecure', 'take any certificate'],
  ['--keylog <file>', 'append the TLS secrets to this file'],
  ['--username <name>', 'log in with this name; the password is read from BRIDGETRACE_PASSWORD'],
  ['--keep-identity', 'use the original client id and topics there; takes over what has them'],
];

/** The types of so many options in a row, worked out one from the other, are more than the compiler can hold: they are stated. */
export function addLiveOptions<Args extends unknown[], Opts extends OptionValues, Globals extends OptionValues>(
  command: Command<Args, Opts, Globals>,
): Command<Args, Opts & LiveFlags, Globals> {
  const untyped = command as unknown as UntypedCommand;
  for (const [flags, description, byDefault] of LIVE_OPTIONS) untyped.option(flags, description, byDefault);
  return command as unknown as Command<Args, Opts & LiveFlags, Globals>;
}

/**
 * @param run a word that is the same for one command and unique among the commands against one broker
 * @param clientId of the cassette, for the warning of `--keep-identity`
 * @returns null: not live
 */
export function liveRequest(context: CliContext, flags: LiveFlags, run: string, clientId: string): LiveRequest | null {
  if (flags.mode !== 'sim' && flags.mode !== 'live')
    throw new UsageError('bad-mode', `--mode ${flags.mode}: sim or live.`);
  if (flags.mode === 'sim') {
    if (flags.broker === undefined) return null;
    throw new UsageError('broker-without-live', '--broker needs --mode live.');
  }
  const speed = Number(flags.speed);
  if (flags.broker === undefined) return { speed };
  const address = parse(flags.broker);
  const password = context.env.BRIDGETRACE_PASSWORD;
  const secret = password === undefined ? null : Buffer.from(password);
  const identify = flags.keepIdentity ? originalIdentity : foreignIdentity.bind(null, run);
  if (flags.keepIdentity) {
    context.stderr.write(
      `--keep-identity: a client ${clientId} at ${flags.broker} loses its session, and subscribers of the original topics get the messages.\n`,
    );
  }
  return {
    speed,
    foreign: {
      address,
      tls: clientTls(flags),
      identity: identify(flags.username ?? null, secret),
      onFacts: (facts) => context.stderr.write(`${factsText(facts)}\n`),
    },
  };
}

function parse(url: string): ReturnType<typeof parseBrokerUrl> {
  try {
    return parseBrokerUrl(url);
  } catch (error) {
    return rethrow(error);
  }
}

function factsText({ address, version, serverKeepaliveS, maximumPacketSize, receiveMaximum }: BrokerFacts): string {
  const told = [
    version === null ? 'does not tell its version' : `version ${version}`,
    serverKeepaliveS === null ? null : `sets the keepalive to ${serverKeepaliveS} s`,
    maximumPacketSize === null ? null : `packets of at most ${maximumPacketSize} bytes`,
    receiveMaximum === null ? null : `receive maximum ${receiveMaximum}`,
  ];
  return `broker ${address.transport} ${addressText(address)}: ${told.filter((text) => text !== null).join(', ')}`;
}
