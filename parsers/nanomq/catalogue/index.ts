/** Every NanoMQ log statement that has an event, grouped by source file. */

import type { CatalogueSheet } from '../catalogue-row.ts';
import { bridgeSheet } from './bridge.ts';
import { brokerSheet } from './broker.ts';
import { brokerTcpSheet } from './broker-tcp.ts';
import { confFileSheet } from './conf-file.ts';
import { dialerSheet } from './dialer.ts';
import { licenseSheet } from './license.ts';
import { mqttClientSheet } from './mqtt-client.ts';
import { mqttCodecSheet } from './mqtt-codec.ts';
import { mqttDbSheet } from './mqtt-db.ts';
import { mqttParserSheet } from './mqtt-parser.ts';
import { mqttPublicSheet } from './mqtt-public.ts';
import { mqttQuicClientSheet } from './mqtt-quic-client.ts';
import { mqttQuicClient022Sheet } from './mqtt-quic-client-0-22.ts';
import { mqttQuicTransportSheet } from './mqtt-quic-transport.ts';
import { mqttTcpTransportSheet } from './mqtt-tcp-transport.ts';
import { mqttTlsTransportSheet } from './mqtt-tls-transport.ts';
import { msquic022Sheet } from './msquic-0-22.ts';
import { msquicConnectionSheet } from './msquic-connection.ts';
import { msquicStreamSheet } from './msquic-stream.ts';
import { nmqMqttSheet } from './nmq-mqtt.ts';
import { protocolSheet } from './protocol.ts';
import { pubHandlerSheet } from './pub-handler.ts';
import { stdoutSheet } from './stdout.ts';
import { subHandlerSheet } from './sub-handler.ts';
import { unsubHandlerSheet } from './unsub-handler.ts';

export const nanomqCatalogue: readonly CatalogueSheet[] = [
  mqttQuicClientSheet,
  mqttClientSheet,
  mqttPublicSheet,
  mqttQuicTransportSheet,
  msquicConnectionSheet,
  msquicStreamSheet,
  dialerSheet,
  mqttTcpTransportSheet,
  bridgeSheet,
  brokerSheet,
  nmqMqttSheet,
  brokerTcpSheet,
  pubHandlerSheet,
  subHandlerSheet,
  unsubHandlerSheet,
  mqttParserSheet,
  mqttTlsTransportSheet,
  confFileSheet,
  mqttQuicClient022Sheet,
  msquic022Sheet,
  mqttDbSheet,
  mqttCodecSheet,
  protocolSheet,
  licenseSheet,
  stdoutSheet,
];
