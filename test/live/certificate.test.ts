import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import { createCertificate } from '../../engine/live/certificate.ts';
import * as der from '../../engine/live/der.ts';

describe('certificate', () => {
  it('is self-signed, names localhost and 127.0.0.1, and is valid now', () => {
    const { certificatePem, privateKeyPem } = createCertificate();
    const certificate = new X509Certificate(certificatePem);
    assert.equal(certificate.checkHost('localhost'), 'localhost');
    assert.equal(certificate.checkIP('127.0.0.1'), '127.0.0.1');
    assert.ok(certificate.verify(certificate.publicKey));
    assert.ok(certificate.ca);
    assert.equal(certificate.publicKey.asymmetricKeyDetails?.namedCurve, 'prime256v1');
    assert.ok(Date.parse(certificate.validFrom) < Date.now() && Date.now() < Date.parse(certificate.validTo));
    assert.match(privateKeyPem, /BEGIN PRIVATE KEY/);
  });

  it('is another one every time', () => {
    const [first, second] = [createCertificate(), createCertificate()].map(
      (made) => new X509Certificate(made.certificatePem),
    );
    assert.notEqual(first!.serialNumber, second!.serialNumber);
  });

  it('writes dates on both sides of 2050', () => {
    const { certificatePem } = createCertificate(Date.UTC(2049, 11, 20));
    const certificate = new X509Certificate(certificatePem);
    assert.equal(new Date(certificate.validTo).getUTCFullYear(), 2050);
  });

  it('writes integers and object identifiers as DER has them', () => {
    assert.equal(der.unsignedInteger(Buffer.from([0, 0, 0x80])).toString('hex'), '02020080');
    assert.equal(der.unsignedInteger(Buffer.from([0])).toString('hex'), '020100');
    assert.equal(der.objectIdentifier('1.2.840.10045.4.3.2').toString('hex'), '06082a8648ce3d040302');
    assert.equal(der.octetString(Buffer.alloc(300)).subarray(0, 4).toString('hex'), '0482012c');
  });
});
