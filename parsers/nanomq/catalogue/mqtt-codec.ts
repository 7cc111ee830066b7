/** Log statements of mqtt_codec.c (real logs of 0.23.1–0.25.3). */

import type { CatalogueSheet } from '../catalogue-row.ts';

export const mqttCodecSheet: CatalogueSheet = {
  files: ['mqtt_codec.c'],
  rows: [
    {
      event: 'mqtt_header_encoded',
      level: 'debug',
      format: '%d %x %x %x %x',
      fields: ['remaining_len', '', '', '', ''],
      functions: ['nni_mqtt_msg_encode_fixed_header'],
      versions: '0.23.1–0.25.3',
    },
    {
      event: 'mqtt_properties_decoded',
      level: 'debug',
      format: 'remain len %d prop len %d curpos %p endpos %p',
      fields: ['remaining_len', 'property_len', 'cursor_ptr', 'end_ptr'],
      functions: ['decode_buf_properties'],
      versions: '0.23.1–0.25.3',
    },
  ],
};
