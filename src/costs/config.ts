import { z } from 'zod';
import { sharedCostsConfig } from './shared/config.ts';

/** `costs:` of plimsoll.yaml. */
export const costsConfig = z
  .strictObject({
    anomalies: z
      .strictObject({
        minimumUsd: z
          .number()
          .min(0)
          .max(1_000_000)
          .default(1)
          .describe('Excess from which on an anomaly matters, US dollars: of a spike in all, of a slow rise per day'),
      })
      .prefault({})
      .describe('What is noticed by itself: costs that are too high by what is usual at that hour of the week, and slow rises'),
    shared: sharedCostsConfig,
  })
  .prefault({})
  .describe('How costs are watched and allocated');
