/** Every NanoMQ log statement that has an event, grouped by source file. */

import type { CatalogueSheet } from '../catalogue-row.ts';
import { bridgeSheet } from './bridge.ts';
import { brokerSheet } from './broker.ts';
import { brokerTcpSheet } from './broker-tcp.ts';
import { dialerSheet } from './dialer.ts';
import { handlersSheet } from './handlers.ts';
import { mqttClientSheet } from './mqtt-client.ts';
import { mqttPublicSheet } from './mqtt-public.ts';
import { mqttQuicClientSheet } from './mqtt-quic-client.ts';
import { mqttQuicTransportSheet } from './mqtt-quic-transport.ts';
import { mqttTcpTransportSheet } from './mqtt-tcp-transport.ts';
import { msquicSheet } from './msquic.ts';
import { nmqMqttSheet } from './nmq-mqtt.ts';

export const nanomqCatalogue: readonly CatalogueSheet[] = [
  mqttQuicClientSheet,
  mqttClientSheet,
  mqttPublicSheet,
  mqttQuicTransportSheet,
  msquicSheet,
  dialerSheet,
  mqttTcpTransportSheet,
  bridgeSheet,
  brokerSheet,
  nmqMqttSheet,
  brokerTcpSheet,
  handlersSheet,
];
