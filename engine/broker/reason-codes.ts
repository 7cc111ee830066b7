/** Names and MQTT 3.1.1 forms of CONNACK reason codes (emqx-keepalive-model §4; MQTT 3.1.1 §3.2.2.3). */

interface Refusal {
  readonly name: string;
  readonly v3: number;
}

const V3_UNACCEPTABLE = 5;

const REFUSALS: ReadonlyMap<number, Refusal> = new Map([
  [128, { name: 'unspecified_error', v3: 3 }],
  [132, { name: 'unsupported_protocol_version', v3: 1 }],
  [133, { name: 'client_identifier_not_valid', v3: 2 }],
  [134, { name: 'bad_username_or_password', v3: 4 }],
  [135, { name: 'not_authorized', v3: 5 }],
  [136, { name: 'server_unavailable', v3: 3 }],
  [138, { name: 'banned', v3: 5 }],
  [140, { name: 'bad_authentication_method', v3: 4 }],
  [151, { name: 'quota_exceeded', v3: 3 }],
]);

/** As EMQX's terminate line has it. */
export function refusalName(reasonCode: number): string {
  return REFUSALS.get(reasonCode)?.name ?? 'unspecified_error';
}

export function v3ReturnCode(reasonCode: number): number {
  return REFUSALS.get(reasonCode)?.v3 ?? V3_UNACCEPTABLE;
}
