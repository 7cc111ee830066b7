/** How a connection ends and what slows it (spec emqx-logs.md section 3.2). */
import type { EmqxCatalogueRow } from '../catalogue-row.ts';

const REASON = { reason: 'reason' } as const;
const LOAD = { incoming_pubs: 'int', incoming_bytes: 'int' } as const;

export const connectionRows: readonly EmqxCatalogueRow[] = [
  {
    event: 'socket_force_closed',
    msgs: ['socket_force_closed'],
    tag: 'SOCKET',
    fields: REASON,
    means: 'the broker decides to close',
  },
  {
    event: 'connection_terminated',
    msgs: ['emqx_connection_terminated'],
    tag: 'SOCKET',
    fields: REASON,
    means: 'the process of a connection ends, after the close',
  },
  {
    event: 'connection_terminate_info',
    msgs: ['terminate'],
    fields: REASON,
    since: '4.3.0',
    means: 'as connection_terminated, in the main log at level info',
  },
  {
    event: 'connection_unclean_terminate',
    msgs: ['unclean_terminate'],
    fields: { exception: 'text', context: 'text' },
    since: '4.3.0',
  },
  {
    event: 'websocket_closed',
    msgs: ['websocket_closed', 'websocket_terminated'],
    tag: 'SOCKET',
    fields: REASON,
  },
  { event: 'socket_error', msgs: ['socket_error'], fields: REASON },
  {
    event: 'connection_oom_shutdown',
    msgs: ['check_oom_shutdown'],
    fields: { ...LOAD, shutdown: ['reason', 'reason'] },
    since: '5.8.1',
    means: 'a limit of force_shutdown was reached',
  },
  // The check that found nothing; seen in real logs of 5.3 to 6.2 at level debug.
  { event: 'connection_oom_checked', msgs: ['check_oom_ok', 'check_oom'], fields: LOAD },
  {
    event: 'socket_option_failed',
    msgs: ['failed_to_set_custom_socket_option', 'received_unknown_cast'],
    fields: REASON,
  },
  {
    event: 'keepalive_updated',
    msgs: ['keepalive_updated'],
    tag: 'MQTT',
    fields: { old_keepalive: 'int', new_keepalive: 'int' },
    since: '6.2.0',
    means: 'changed at run time',
  },
  // Seen in real logs of 5.3 to 6.2 at level debug.
  { event: 'stats_timer_cancelled', msgs: ['cancel_stats_timer'], fields: {} },
];
