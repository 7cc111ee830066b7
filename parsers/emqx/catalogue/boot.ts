/**
 * Start and stop of a node: the database, its tables, the cluster library. None is in the spec; all were seen in real logs of
 * 5.0 to 6.2 (`gen_rpc_dispatcher_start` from 4.4 on) at the levels debug to notice.
 */
import type { EmqxCatalogueRow } from '../catalogue-row.ts';

const SHARD_TABLE = { shard: 'text', table: 'text' } as const;

export const bootRows: readonly EmqxCatalogueRow[] = [
  // The first line of every boot at level info, once a boot (`Starting ekka` is printed twice in 6.2).
  { event: 'node_boot', msgs: ['gen_rpc_dispatcher_start'], fields: {} },
  { event: 'mria_starting', msgs: ['Starting mria'], fields: {} },
  { event: 'mnesia_starting', msgs: ['Starting mnesia'], fields: {} },
  { event: 'mnesia_schema_check', msgs: ['Ensure mnesia schema'], fields: {} },
  { event: 'mnesia_schema_created', msgs: ['Creating new mnesia schema'], fields: { result: 'printed' } },
  { event: 'mria_shards_starting', msgs: ['Starting shards'], fields: {} },
  { event: 'mria_schema_init', msgs: ['rlog_schema_init'], fields: {} },
  { event: 'mria_schema_converging', msgs: ['Converging schema'], fields: {} },
  { event: 'mria_shard_configured', msgs: ['Setting RLOG shard config'], fields: { shard: 'text' } },
  { event: 'mria_table_added', msgs: ['Adding table to a shard'], fields: SHARD_TABLE },
  { event: 'mria_table_created', msgs: ['mria_mnesia_create_table'], fields: { name: ['text', 'table'] } },
  { event: 'mria_table_opened', msgs: ['ensure_local_table'], fields: { table: 'text' } },
  { event: 'mria_running', msgs: ['Mria is running'], fields: {} },
  { event: 'mria_stopping', msgs: ['Mria is preparing to stop'], fields: {} },
  { event: 'mria_worker_stopped', msgs: ['mria_worker_terminate'], fields: { process: 'text' } },
  { event: 'mria_stopped', msgs: ['Mria is stopped'], fields: {} },
  { event: 'ekka_starting', msgs: ['Starting ekka'], fields: {} },
  { event: 'ekka_running', msgs: ['Ekka is running'], fields: {} },
  { event: 'routing_schema_chosen', msgs: ['routing_schema_used'], fields: { schema: 'text' } },
  { event: 'config_load_skipped', msgs: ['skip_init_config_load'], fields: { loader: 'text', reason: 'reason' } },
  {
    event: 'durable_storage_created',
    msgs: ['Initializing durable storage for the first time'],
    fields: { site: 'text' },
  },
  { event: 'deprecated_hookpoint', msgs: ['deprecated_hookpoint'], fields: { hookpoint: 'text' } },
];
