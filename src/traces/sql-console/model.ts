import { z } from 'zod';

/** A table that the console may read, with what its columns mean. */
export const SqlTable = z
  .object({
    name: z.string(),
    description: z.string(),
    columns: z.array(z.object({ name: z.string(), type: z.string(), description: z.string() })),
    example: z.string().describe('A query that works'),
  })
  .meta({ id: 'SqlTable' });
export type SqlTable = z.infer<typeof SqlTable>;

export const MAX_SQL_CHARACTERS = 20_000;

export const SqlRequest = z
  .strictObject({
    query: z
      .string()
      .min(1)
      .max(MAX_SQL_CHARACTERS)
      .describe('One SELECT, WITH, DESCRIBE <table>, SHOW TABLES or SHOW COLUMNS FROM <table>'),
    runId: z
      .string()
      .regex(/^[0-9a-zA-Z-]{8,64}$/, 'letters, digits and dashes, 8 to 64 of them')
      .optional()
      .describe('Your own name for this run, by which DELETE /api/v1/sql/:runId cancels it'),
  })
  .meta({ id: 'SqlRequest' });
export type SqlRequest = z.infer<typeof SqlRequest>;

export const SqlResult = z
  .object({
    runId: z.string(),
    columns: z.array(z.object({ name: z.string(), type: z.string() })),
    rows: z.array(z.array(z.unknown())).describe('Integers of 64 bits and more are text'),
    isCut: z.boolean().describe('True when there are more rows than are sent'),
    elapsedMs: z.number(),
    rowsRead: z.int(),
    bytesRead: z.int(),
  })
  .meta({ id: 'SqlResult' });
export type SqlResult = z.infer<typeof SqlResult>;

export const SqlConsoleView = z
  .object({
    isEnabled: z.boolean(),
    reason: z.string().nullable().describe('Why it is off; null while it is on'),
    limits: z.object({ seconds: z.number(), memoryBytes: z.int(), rows: z.int(), resultBytes: z.int(), threads: z.int() }),
    tables: z.array(SqlTable),
  })
  .meta({ id: 'SqlConsole' });
export type SqlConsoleView = z.infer<typeof SqlConsoleView>;
