/** Log statements of mqtt_public.c (spec nanomq-logs.md section 2.1.3). */

import type { CatalogueSheet } from '../catalogue-row.ts';

export const mqttPublicSheet: CatalogueSheet = {
  files: ['mqtt_public.c'],
  rows: [
    {
      event: 'bridge_subscribe_result',
      level: 'info',
      format: 'bridge: subscribe aio result %d',
      fields: ['nng_rv'],
      codes: { nng_rv: 'nng' },
      functions: ['nng_mqtt_subscribe'],
      versions: '≤0.22.2–0.25.6',
    },
    {
      event: 'bridge_suback_code',
      level: 'info',
      format: 'bridge: suback code %d ',
      fields: ['reason_code'],
      codes: { reason_code: 'mqtt_suback' },
      functions: ['nng_mqtt_subscribe'],
      versions: '≤0.22.2–0.25.6',
    },
    {
      event: 'bridge_unsubscribe_queue_full',
      level: 'warn',
      format: 'unsubscribe failed!',
      fields: [],
      functions: ['nng_mqtt_unsubscribe_async'],
      versions: '≤0.22.2–0.25.6',
    },
    {
      event: 'bridge_subscribe_queue_full',
      level: 'warn',
      format: 'subscribe failed due to busy aio',
      fields: [],
      functions: ['nng_mqtt_subscribe_async'],
      versions: '≤0.22.2–0.23.3',
    },
    {
      event: 'bridge_sub_aio_failed',
      level: 'warn',
      format: 'bridge send aio rv %d',
      fields: ['nng_rv'],
      codes: { nng_rv: 'nng' },
      functions: ['nng_mqtt_client_send_cb'],
      versions: '0.23.3–0.23.6',
    },
    {
      event: 'bridge_subscribe_retry',
      level: 'info',
      format: 'resend subscribe msg again!',
      fields: [],
      functions: ['nng_mqtt_client_send_cb'],
      versions: '0.23.3–0.25.6',
    },
    {
      event: 'bridge_subscribe_queue_full',
      level: 'warn',
      format: 'subscribe failed due to busy aio & full lmq!',
      fields: [],
      functions: ['nng_mqtt_subscribe_async'],
      versions: '0.23.4–0.25.6',
    },
    {
      event: 'bridge_sub_aio_failed',
      level: 'warn',
      format: 'bridge send failed rv %d',
      fields: [''],
      functions: ['nng_mqtt_client_send_cb'],
      versions: '0.23.7–0.25.6',
    },
  ],
};
