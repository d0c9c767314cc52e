import { z } from 'zod';

/** `cache:` of plimsoll.yaml. */
export const cacheConfig = z
  .strictObject({
    driver: z
      .enum(['memory', 'redis'])
      .default('memory')
      .describe('Where answers are kept: in each gateway worker, or in the Redis of PLIMSOLL_REDIS_URL, shared by all of them'),
    maxBytes: z
      .int()
      .min(1024 * 1024)
      .default(64 * 1024 * 1024)
      .describe('Most bytes of answers: of each worker with driver memory, of all together with redis; seldom used ones make room'),
    maxEntryBytes: z
      .int()
      .min(1024)
      .max(16 * 1024 * 1024)
      .default(1024 * 1024)
      .describe('Longest answer that is kept, bytes'),
    lookupTimeoutMs: z
      .int()
      .min(1)
      .max(1000)
      .default(25)
      .describe('How long a call waits for Redis before it goes on as a miss, milliseconds'),
  })
  .prefault({})
  .describe('Answers that are kept; features.<name>.cache says whose');
