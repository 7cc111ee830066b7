/** A certificate for the embedded broker, made anew for every run, so that no key lies on the disk and none expires. */

import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import * as der from './der.ts';

export interface Certificate {
  /** PEM. The certificate signs itself and is its own authority. */
  readonly certificatePem: string;
  /** PEM, PKCS #8. */
  readonly privateKeyPem: string;
}

const COMMON_NAME = 'bridgetrace live broker';
const DNS_NAME = 'localhost';
const IP_ADDRESS = [127, 0, 0, 1] as const;
const SERIAL_BYTES = 16;
const DAY_MS = 86_400_000;
/** Clocks of test machines are wrong by hours at times. */
const VALID_BEFORE_DAYS = 1;
const VALID_DAYS = 30;

const OID_COMMON_NAME = '2.5.4.3';
const OID_ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';
const OID_BASIC_CONSTRAINTS = '2.5.29.19';
const OID_SUBJECT_ALT_NAME = '2.5.29.17';
/** Context tags of GeneralName (RFC 5280 §4.2.1.6). */
const NAME_DNS = 2;
const NAME_IP = 7;
const VERSION_3 = Buffer.from([2]);

/** Self-signed, P-256 with SHA-256, for `localhost` and 127.0.0.1; a few milliseconds. `now` is the wall clock in ms. */
export function createCertificate(now: number = Date.now()): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const name = der.sequence(der.set(der.sequence(der.objectIdentifier(OID_COMMON_NAME), der.utf8String(COMMON_NAME))));
  const algorithm = der.sequence(der.objectIdentifier(OID_ECDSA_WITH_SHA256));
  const toBeSigned = der.sequence(
    der.explicit(0, der.unsignedInteger(VERSION_3)),
    der.unsignedInteger(randomBytes(SERIAL_BYTES)),
    algorithm,
    name,
    validity(now),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der.explicit(3, der.sequence(basicConstraints(), subjectAltName())),
  );
  const signature = sign('sha256', toBeSigned, privateKey);
  return {
    certificatePem: pem('CERTIFICATE', der.sequence(toBeSigned, algorithm, der.bitString(signature))),
    privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

function validity(now: number): Buffer {
  const from = new Date(now - VALID_BEFORE_DAYS * DAY_MS);
  const until = new Date(now + VALID_DAYS * DAY_MS);
  return der.sequence(der.time(from), der.time(until));
}

function basicConstraints(): Buffer {
  const isAuthority = der.sequence(der.boolean(true));
  return der.sequence(der.objectIdentifier(OID_BASIC_CONSTRAINTS), der.boolean(true), der.octetString(isAuthority));
}

function subjectAltName(): Buffer {
  const names = der.sequence(
    der.implicit(NAME_DNS, Buffer.from(DNS_NAME, 'latin1')),
    der.implicit(NAME_IP, Buffer.from(IP_ADDRESS)),
  );
  return der.sequence(der.objectIdentifier(OID_SUBJECT_ALT_NAME), der.octetString(names));
}

function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}
