/** What EMQX prints although it is secret: it hides passwords in its packet strings only. */

/** The bytes of a CONNECT hold user name and password. */
const RAW_CONNECT =
  /(\bbin(?:: |":"))10[0-9A-Fa-f]{8,}|((?:RECV|Frame data:|input_bytes:|"input_bytes":")\s*<<)16,[\d,]{16,}/g;
/** States of processes, in crash reports. */
const PASSWORD = /(\bpassword(?: => |,|":\s*)(?:<<)?\\?")(?:[^"\\]|\\.)+?(?=\\?")/g;

/** The frequent lines, in which EMQX itself hides what is secret: not searched. */
const SAFE_EVENTS = new Set([
  'mqtt_packet_received',
  'mqtt_packet_sent',
  'quic_data_stream_packets_sent',
  'publish_routed',
  'authorization_allowed',
  'connection_terminated',
  'connection_terminate_info',
  'delivery_dropped_queue_full',
]);

/** The text with the raw bytes of a CONNECT, and passwords in printed terms, replaced. */
export function hideSecrets(text: string, event: string | null): string {
  if (event !== null && SAFE_EVENTS.has(event)) return text;
  let hidden = text;
  if (hidden.includes('bin') || hidden.includes('<<16,'))
    hidden = hidden.replace(RAW_CONNECT, (_, hex, list) => `${hex ?? list}******`);
  if (hidden.includes('password')) hidden = hidden.replace(PASSWORD, '$1******');
  return hidden;
}

/** Whether a user name is rather a token, as some devices send in its place: it does not become an attribute. */
export function looksSecret(username: string): boolean {
  return username.length > MAX_USERNAME_CHARS || /^(?:eyJ[\w-]+\.[\w-]+\.|Bearer )/.test(username);
}

const MAX_USERNAME_CHARS = 128;
