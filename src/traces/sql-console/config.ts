import { z } from 'zod';

export const sqlConsoleConfig = z
  .strictObject({
    enabled: z
      .boolean()
      .default(true)
      .describe('Whether holders of the permission sql:read (admins) may run read-only SQL over the trace store'),
    maxSeconds: z.int().min(1).max(60).default(20).describe('Longest run of one query (s)'),
  })
  .prefault({})
  .describe('The SQL console: `plimsoll sql`, the page SQL, `POST /api/v1/sql`');
