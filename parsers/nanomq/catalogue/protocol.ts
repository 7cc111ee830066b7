/** Log statements of protocol.c (real logs of 0.23.1–0.25.3). */

import type { CatalogueSheet } from '../catalogue-row.ts';

export const protocolSheet: CatalogueSheet = {
  files: ['protocol.c'],
  rows: [
    {
      event: 'broker_protocol_ready',
      level: 'debug',
      format: ' nng internal init finished! Listener start',
      fields: [],
      functions: ['nni_proto_mqtt_open'],
      versions: '0.23.1–0.25.3',
    },
    {
      event: 'broker_socket_opened',
      level: 'debug',
      format: 'mqtt socket opened!',
      fields: [],
      functions: ['nni_proto_mqtt_open'],
      versions: '0.23.1–0.25.3',
    },
  ],
};
