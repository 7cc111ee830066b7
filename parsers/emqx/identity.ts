/** Who a line is about, where that stands before the message: `CLIENTID@PEER`, `CLIENTID` unknown or `PEER` alone. */

export interface Identity {
  readonly clientId: string | null;
  readonly peer: string | null;
  readonly length: number; // of what stands before the message
}

/** Bounded: the parts of an IPv6 address look alike, and a run of colons could be divided anywhere. */
const ADDRESS = String.raw`(?:\d{1,3}(?:\.\d{1,3}){3}|\[?[0-9a-fA-F:.]{0,45}:[0-9a-fA-F:.]{0,45}\]?):\d{1,5}`;
const TENANT = String.raw`(?: tns: [^\n]{0,128}?)?`;

/** 4.x, and throttled warnings in trace files. 4.0–4.2 print the client id as a binary. */
const LOG_IDENTITY = new RegExp(String.raw`^(?:(<<"[^"\n]{0,512}">>|[^\s@][^\n]{0,511}?)@)?(${ADDRESS})${TENANT} `);
/** A client id may hold `@` and spaces; the address after it tells where it ends. */
const TRACE_IDENTITY = new RegExp(String.raw`^([^\n]{0,512}?)@(${ADDRESS}|)${TENANT} (?=msg: )`);
/** A peer that is no address, of a socket of another kind. */
const LOOSE_TRACE_IDENTITY = new RegExp(String.raw`^([^\n]{0,512}?)@([^\s@]*)${TENANT} (?=msg: )`);
const NOBODY = /^@(?: tns: [^\n]{0,128}?)? (?=msg: )/;
/** 4.x, of a client whose address is not known yet: only before the header of a module. */
const CLIENT_ONLY =
  /^(<<"[^"\n]{0,512}">>|[^\s[@][^\n]{0,255}?) (?=\[(?:MQTT|MQTT\/WS|Channel|Session|CM|Broker|Hooks|Shared Sub)\] )/;
/** 5.x puts a topic and the identity before a message that is no report. */
const TOPIC_FIRST = new RegExp(String.raw`^ ?topic: [^\n]{1,512}? (?:([^\s@][^\n]{0,511}?)@)?(${ADDRESS}) `);
/** Lines of 5.x and later name the client under keys. */
const STARTS_WITH_KEY = /^ {0,5}(?:[a-z][A-Za-z0-9_@]*|'[^'\n]{1,64}'): /;

/** Of a line with a level; null if it does not start with an identity. */
export function identityOfLog(body: string): Identity | null {
  const first = body.charCodeAt(0);
  if (first === 0x40) {
    const nobody = NOBODY.exec(body);
    if (nobody !== null) return { clientId: null, peer: null, length: nobody[0].length };
  }
  const startsWithAddress = (first >= 0x30 && first <= 0x3a) || first === 0x5b;
  if (startsWithAddress) return identityOf(LOG_IDENTITY.exec(body));
  if (body.startsWith('topic: ') || body.startsWith(' topic: ')) return identityOf(TOPIC_FIRST.exec(body));
  if (STARTS_WITH_KEY.test(body)) return null;
  return identityOf((body.includes('@') ? LOG_IDENTITY.exec(body) : null) ?? CLIENT_ONLY.exec(body));
}

/** Of a line with a tag. */
export function identityOfTrace(body: string): Identity | null {
  return identityOf(TRACE_IDENTITY.exec(body) ?? LOOSE_TRACE_IDENTITY.exec(body));
}

function identityOf(found: RegExpExecArray | null): Identity | null {
  if (found === null) return null;
  const printed = found[1] || null;
  const clientId = printed?.startsWith('<<"') ? printed.slice(3, -3) : printed;
  return { clientId, peer: found[2] || null, length: found[0].length };
}
