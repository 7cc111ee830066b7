/** Names of the numbers in NanoMQ's messages. A row of the catalogue says which table a field belongs to. */

type Names = { readonly [code: number]: string };

/** Texts of `nng_strerror` (nng.c), as NanoMQ itself prints them where it prints no number. */
const NNG: Names = {
  0: 'Success',
  1: 'Interrupted',
  2: 'Out of memory',
  3: 'Invalid argument',
  4: 'Resource busy',
  5: 'Timed out',
  6: 'Connection refused',
  7: 'Object closed',
  8: 'Try again',
  9: 'Not supported',
  10: 'Address in use',
  11: 'Incorrect state',
  12: 'Entry not found',
  13: 'Protocol error',
  14: 'Destination unreachable',
  15: 'Address invalid',
  16: 'Permission denied',
  17: 'Message too large',
  18: 'Connection aborted',
  19: 'Connection reset',
  20: 'Operation canceled',
  21: 'Out of files',
  22: 'Out of space',
  23: 'Resource already exists',
  24: 'Read only resource',
  25: 'Write only resource',
  26: 'Cryptographic error',
  27: 'Peer could not be authenticated',
  28: 'Option requires argument',
  29: 'Ambiguous option',
  30: 'Incorrect type',
  31: 'Connection shutdown',
  1000: 'Internal error detected',
};

/** MQTT 5.0 section 2.4. */
const MQTT_REASON: Names = {
  0: 'Success',
  1: 'Granted QoS 1',
  2: 'Granted QoS 2',
  4: 'Disconnect with Will Message',
  16: 'No matching subscribers',
  17: 'No subscription existed',
  24: 'Continue authentication',
  25: 'Re-authenticate',
  128: 'Unspecified error',
  129: 'Malformed Packet',
  130: 'Protocol Error',
  131: 'Implementation specific error',
  132: 'Unsupported Protocol Version',
  133: 'Client Identifier not valid',
  134: 'Bad User Name or Password',
  135: 'Not authorized',
  136: 'Server unavailable',
  137: 'Server busy',
  138: 'Banned',
  139: 'Server shutting down',
  140: 'Bad authentication method',
  141: 'Keep Alive timeout',
  142: 'Session taken over',
  143: 'Topic Filter invalid',
  144: 'Topic Name invalid',
  145: 'Packet Identifier in use',
  146: 'Packet Identifier not found',
  147: 'Receive Maximum exceeded',
  148: 'Topic Alias invalid',
  149: 'Packet too large',
  150: 'Message rate too high',
  151: 'Quota exceeded',
  152: 'Administrative action',
  153: 'Payload format invalid',
  154: 'Retain not supported',
  155: 'QoS not supported',
  156: 'Use another server',
  157: 'Server moved',
  158: 'Shared Subscriptions not supported',
  159: 'Connection rate exceeded',
  160: 'Maximum connect time',
  161: 'Subscription Identifiers not supported',
  162: 'Wildcard Subscriptions not supported',
};

/** MQTT 3.1.1 section 3.2.2.3; from 128 on the codes are those of MQTT 5.0. */
const MQTT_CONNACK: Names = {
  ...MQTT_REASON,
  1: 'Unacceptable protocol version',
  2: 'Identifier rejected',
  3: 'Server unavailable',
  4: 'Bad user name or password',
  5: 'Not authorized',
};

/** MQTT 5.0 section 3.9.3; 128 is the failure code of 3.1.1. */
const MQTT_SUBACK: Names = { ...MQTT_REASON, 0: 'Granted QoS 0' };

/** What NanoMQ calls `rv` is an nng code, or an MQTT reason code where it hands one on (mqtt_client.h). */
const NNG_OR_MQTT: Names = { ...MQTT_REASON, ...NNG };

/** MQTT 5.0 section 2.1.2. */
const MQTT_PACKET_TYPE: Names = {
  1: 'CONNECT',
  2: 'CONNACK',
  3: 'PUBLISH',
  4: 'PUBACK',
  5: 'PUBREC',
  6: 'PUBREL',
  7: 'PUBCOMP',
  8: 'SUBSCRIBE',
  9: 'SUBACK',
  10: 'UNSUBSCRIBE',
  11: 'UNSUBACK',
  12: 'PINGREQ',
  13: 'PINGRESP',
  14: 'DISCONNECT',
  15: 'AUTH',
};

const MQTT_VERSION: Names = { 3: 'MQTT 3.1', 4: 'MQTT 3.1.1', 5: 'MQTT 5.0' };

/** msquic_posix.h: the status is an errno of Linux. */
const QUIC_STATUS: Names = {
  0: 'SUCCESS',
  2: 'FILE_NOT_FOUND',
  12: 'OUT_OF_MEMORY',
  22: 'INVALID_PARAMETER',
  62: 'CONNECTION_IDLE',
  71: 'PROTOCOL_ERROR',
  75: 'BUFFER_TOO_SMALL',
  84: 'USER_CANCELED',
  86: 'STREAM_LIMIT_REACHED',
  92: 'ALPN_NEG_FAILURE',
  95: 'NOT_SUPPORTED',
  98: 'ADDRESS_IN_USE',
  103: 'HANDSHAKE_FAILURE',
  110: 'CONNECTION_TIMEOUT',
  111: 'CONNECTION_REFUSED',
  113: 'UNREACHABLE',
  125: 'ABORTED',
  126: 'TLS_ERROR',
};
/** TLS alerts are this number plus the alert (msquic.h, QUIC_STATUS_TLS_ALERT). */
const TLS_ALERT_BASE = 0xbebc300;
/** RFC 8446 appendix B.2. */
const TLS_ALERT: Names = {
  10: 'unexpected_message',
  40: 'handshake_failure',
  42: 'bad_certificate',
  43: 'unsupported_certificate',
  44: 'certificate_revoked',
  45: 'certificate_expired',
  46: 'certificate_unknown',
  47: 'illegal_parameter',
  48: 'unknown_ca',
  49: 'access_denied',
  50: 'decode_error',
  51: 'decrypt_error',
  70: 'protocol_version',
  71: 'insufficient_security',
  80: 'internal_error',
  112: 'unrecognized_name',
  116: 'certificate_required',
  120: 'no_application_protocol',
};

/** RFC 9000 section 20.1. */
const QUIC_TRANSPORT_ERROR: Names = {
  0: 'NO_ERROR',
  1: 'INTERNAL_ERROR',
  2: 'CONNECTION_REFUSED',
  3: 'FLOW_CONTROL_ERROR',
  4: 'STREAM_LIMIT_ERROR',
  5: 'STREAM_STATE_ERROR',
  6: 'FINAL_SIZE_ERROR',
  7: 'FRAME_ENCODING_ERROR',
  8: 'TRANSPORT_PARAMETER_ERROR',
  9: 'CONNECTION_ID_LIMIT_ERROR',
  10: 'PROTOCOL_VIOLATION',
  11: 'INVALID_TOKEN',
  12: 'APPLICATION_ERROR',
  13: 'CRYPTO_BUFFER_EXCEEDED',
  14: 'KEY_UPDATE_ERROR',
  15: 'AEAD_LIMIT_REACHED',
  16: 'NO_VIABLE_PATH',
};

/** msquic.h, QUIC_CONNECTION_EVENT_TYPE. */
const MSQUIC_CONNECTION_EVENT: Names = {
  0: 'CONNECTED',
  1: 'SHUTDOWN_INITIATED_BY_TRANSPORT',
  2: 'SHUTDOWN_INITIATED_BY_PEER',
  3: 'SHUTDOWN_COMPLETE',
  4: 'LOCAL_ADDRESS_CHANGED',
  5: 'PEER_ADDRESS_CHANGED',
  6: 'PEER_STREAM_STARTED',
  7: 'STREAMS_AVAILABLE',
  8: 'PEER_NEEDS_STREAMS',
  9: 'IDEAL_PROCESSOR_CHANGED',
  10: 'DATAGRAM_STATE_CHANGED',
  11: 'DATAGRAM_RECEIVED',
  12: 'DATAGRAM_SEND_STATE_CHANGED',
  13: 'RESUMED',
  14: 'RESUMPTION_TICKET_RECEIVED',
  15: 'PEER_CERTIFICATE_RECEIVED',
};

/** msquic.h, QUIC_STREAM_EVENT_TYPE. */
const MSQUIC_STREAM_EVENT: Names = {
  0: 'START_COMPLETE',
  1: 'RECEIVE',
  2: 'SEND_COMPLETE',
  3: 'PEER_SEND_SHUTDOWN',
  4: 'PEER_SEND_ABORTED',
  5: 'PEER_RECEIVE_ABORTED',
  6: 'SEND_SHUTDOWN_COMPLETE',
  7: 'SHUTDOWN_COMPLETE',
  8: 'IDEAL_SEND_BUFFER_SIZE',
  9: 'PEER_ACCEPTED',
};

/** signal(7) of Linux. */
const SIGNAL: Names = {
  1: 'SIGHUP',
  2: 'SIGINT',
  3: 'SIGQUIT',
  4: 'SIGILL',
  6: 'SIGABRT',
  7: 'SIGBUS',
  8: 'SIGFPE',
  9: 'SIGKILL',
  10: 'SIGUSR1',
  11: 'SIGSEGV',
  12: 'SIGUSR2',
  13: 'SIGPIPE',
  14: 'SIGALRM',
  15: 'SIGTERM',
};

const NAME_OF = {
  nng: (code) => NNG[code],
  nng_or_mqtt: (code) => NNG_OR_MQTT[code],
  mqtt_reason: (code) => MQTT_REASON[code],
  mqtt_connack: (code) => MQTT_CONNACK[code],
  mqtt_suback: (code) => MQTT_SUBACK[code],
  mqtt_packet_type: (code) => MQTT_PACKET_TYPE[code],
  /** First byte of a packet: type in the upper half, flags in the lower. */
  mqtt_first_byte: (code) => MQTT_PACKET_TYPE[code >> 4],
  mqtt_version: (code) => MQTT_VERSION[code],
  quic_status: (code) => QUIC_STATUS[code] ?? tlsAlert(code - TLS_ALERT_BASE),
  quic_transport_error: (code) => QUIC_TRANSPORT_ERROR[code] ?? tlsAlert(code - CRYPTO_ERROR_BASE),
  msquic_connection_event: (code) => MSQUIC_CONNECTION_EVENT[code],
  msquic_stream_event: (code) => MSQUIC_STREAM_EVENT[code],
  signal: (code) => SIGNAL[code],
} satisfies { readonly [table: string]: (code: number) => string | undefined };

/** RFC 9001 section 4.8: CRYPTO_ERROR is this number plus the TLS alert. */
const CRYPTO_ERROR_BASE = 0x100;

export type CodeTable = keyof typeof NAME_OF;

/** The name that the table has for a number, or null. */
export function codeName(table: CodeTable, code: number): string | null {
  return NAME_OF[table](code) ?? null;
}

function tlsAlert(alert: number): string | undefined {
  const name = TLS_ALERT[alert];
  return name === undefined ? undefined : `TLS alert ${name}`;
}
