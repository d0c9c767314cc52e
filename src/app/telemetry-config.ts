import { z } from 'zod';
import { secretText } from '../kernel/config/secret.ts';

export const telemetryConfig = z
  .strictObject({
    otlp: z
      .strictObject({
        endpoint: z
          .url({ protocol: /^https?$/ })
          .describe('Base address of an OTLP/HTTP receiver; /v1/metrics and /v1/traces are added to it'),
        headers: z
          .record(
            z.string().regex(/^[A-Za-z0-9-]{1,128}$/, 'not a header name'),
            secretText('Value of the header; ${NAME} takes it from the environment'),
          )
          .default({})
          .describe('Headers of every request, such as authorization'),
        traces: z
          .boolean()
          .default(false)
          .describe('Also sends the spans of the gateway’s own calls, without prompts and answers; those that clients sent are left out'),
        intervalMs: z.int().min(1_000).max(3_600_000).default(60_000).describe('How often metrics are sent, milliseconds'),
      })
      .optional()
      .describe('Sends all metrics of this Plimsoll, and traces where wanted, to a collector; absent = nothing is sent'),
  })
  .prefault({})
  .describe('Where telemetry goes besides /metrics');
