import { z } from 'zod';

import { healthConfig } from './routing/health-config.ts';

/** `gateway:` of plimsoll.yaml. */
export const gatewayConfig = z
  .strictObject({
    workers: z
      .int()
      .min(1)
      .max(64)
      .default(1)
      .describe('Gateway processes that share the port; a change starts or drains workers. They keep `limits` together'),
    maxBodyBytes: z
      .int()
      .min(1024)
      .max(256 * 1024 * 1024)
      .default(32 * 1024 * 1024)
      .describe('Largest request body, bytes; larger ones are refused with 413'),
    maxJsonDepth: z.int().min(8).max(1024).default(128).describe('Deepest nesting of a request body'),
    maxConcurrentRequests: z
      .int()
      .min(1)
      .max(100_000)
      .default(4096)
      .describe('Calls in flight per worker; further ones are refused with 429'),
    maxPayloadBytes: z
      .int()
      .min(1024)
      .max(64 * 1024 * 1024)
      .default(1024 * 1024)
      .describe('Longest prompt or answer that is kept with a trace, bytes; longer ones are cut and marked'),
    journalMaxBytes: z
      .int()
      .min(16 * 1024 * 1024)
      .default(4 * 1024 * 1024 * 1024)
      .describe(
        'Most disk that one worker’s journal may use while control is away; payloads are shed from 80 % on, calls are refused at the end',
      ),
    health: healthConfig,
    idempotency: z
      .strictObject({
        ttlHours: z
          .number()
          .min(0.01)
          .max(24)
          .default(24)
          .describe('How long an answer is kept for requests that repeat its idempotency-key'),
        maxBytes: z
          .int()
          .min(0)
          .max(4 * 1024 * 1024 * 1024)
          .default(64 * 1024 * 1024)
          .describe('Memory for kept answers, per worker; the oldest leave first, one of more than an eighth of it is not kept'),
      })
      .prefault({})
      .describe('Answers that are kept so that a repeated request gets the same one. Each worker knows its own'),
  })
  .prefault({})
  .describe('The data plane');
