/** Log statements of dialer.c, pipe.c (spec nanomq-logs.md section 2.2.3). */

import type { CatalogueSheet } from '../catalogue-row.ts';

export const dialerSheet: CatalogueSheet = {
  files: ['dialer.c', 'pipe.c'],
  rows: [
    {
      event: 'dialer_timer_failed',
      level: 'error',
      format: 'failed timer cb rv %d',
      fields: ['nng_rv'],
      codes: { nng_rv: 'nng' },
      functions: ['dialer_timer_cb'],
      versions: '≤0.22.2–0.25.6',
    },
    {
      event: 'dialer_connect_result',
      level: 'info',
      format: 'dialer connect cb rv%d %p',
      fields: ['rv', 'aio_ptr'],
      codes: { rv: 'nng_or_mqtt' },
      functions: ['dialer_connect_cb'],
      versions: '≤0.22.2–0.23.2',
    },
    {
      event: 'pipe_id_collision',
      level: 'error',
      format: 'Client ID collision or set ID failed!',
      fields: [],
      functions: ['nni_pipe_set_pid'],
      versions: '0.22.8–0.25.6',
    },
    {
      event: 'dialer_connect_result',
      level: 'trace',
      format: 'dialer connect cb rv%d %p',
      fields: ['rv', 'aio_ptr'],
      codes: { rv: 'nng_or_mqtt' },
      functions: ['dialer_connect_cb'],
      versions: '0.23.3–0.25.6',
    },
  ],
};
