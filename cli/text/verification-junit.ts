/** Verdicts as JUnit XML: a test suite a cassette, a test case a change. An undecided one is an error, not a failure. */
import path from 'node:path';
import type { VerifiedCassette } from './verification-text.ts';

export function verificationJunit(verified: readonly VerifiedCassette[]): string {
  const suites = verified.flatMap(({ cassette, result }) => {
    const of = (verdict: string) => result.variants.filter((variant) => variant.verdict === verdict).length;
    return [
      `  <testsuite name="${xml(path.basename(cassette))}" tests="${result.variants.length}" failures="${of('not-fixed')}" errors="${of('inconclusive')}">`,
      ...result.variants.flatMap((variant) => {
        const told = xml([variant.reason, variant.next].filter((text) => text !== null).join(' — '));
        const place = `    <testcase classname="${xml(path.basename(cassette))}" name="${xml(variant.name)}"`;
        if (variant.verdict === 'fixed') return [`${place}/>`];
        const kind = variant.verdict === 'not-fixed' ? 'failure' : 'error';
        return [
          `${place}>`,
          `      <${kind} type="${variant.verdict}" message="${told}">${variant.k} of ${variant.n} seeds show the symptom</${kind}>`,
          '    </testcase>',
        ];
      }),
      '  </testsuite>',
    ];
  });
  return ['<?xml version="1.0" encoding="UTF-8"?>', '<testsuites>', ...suites, '</testsuites>', ''].join('\n');
}

const ENTITIES: { readonly [char: string]: string } = {
  '<': '&lt;',
  '>': '&gt;',
  '&': '&amp;',
  '"': '&quot;',
  "'": '&apos;',
};
/** XML 1.0 has no way to write these at all. */
const NOT_XML = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;

function xml(text: string): string {
  return text.replace(NOT_XML, '\ufffd').replace(/[<>&"']/g, (char) => ENTITIES[char]!);
}
