/** Log statements of license_std.c (license_std.c of builds with a license). */

import type { CatalogueSheet } from '../catalogue-row.ts';

export const licenseSheet: CatalogueSheet = {
  files: ['license_std.c'],
  rows: [
    {
      event: 'license_used',
      level: 'debug',
      format: 'LICENSE INFO [%ld/%ld]',
      fields: ['used_s', 'limit_s'],
      functions: ['lic_std_update'],
      versions: '0.23.1–0.25.6',
    },
    {
      event: 'license_expired',
      level: 'error',
      format: 'LICENSE EXPIRED! %ld//%ld',
      fields: ['now_s', 'valid_to_s'],
      functions: ['lic_std_update'],
      versions: '0.23.1–0.25.6',
    },
    {
      event: 'license_expired',
      level: 'error',
      format: 'LICENSE EXPIRED! %ld/%ld',
      fields: ['used_s', 'limit_s'],
      functions: ['lic_std_update'],
      versions: '0.23.1–0.25.6',
    },
  ],
};
