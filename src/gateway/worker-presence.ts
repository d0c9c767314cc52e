import { z } from 'zod';

/** Whether a gateway worker's numbers are in an answer. */
export const WorkerPresence = z
  .object({
    worker: z.string(),
    isAnswering: z.boolean().describe('False: it has not reported lately, and its numbers are not in this answer'),
    lastReportAt: z.int().nullable().describe('Epoch ms; null = it never reported this'),
  })
  .meta({ id: 'WorkerPresence' });
export type WorkerPresence = z.infer<typeof WorkerPresence>;
