import { z } from 'zod';
import type { HealthPolicy } from './policy.ts';

const milliseconds = (least: number) => z.int().min(least).max(86_400_000);

/** `gateway.health` of plimsoll.yaml: one set of rules, since a target is as healthy in one route as in the next. */
export const healthConfig = z
  .strictObject({
    consecutiveFailures: z
      .int()
      .min(1)
      .max(1_000)
      .default(5)
      .describe('Failures in a row that eject: server errors, timeouts, cut or unreadable answers, refused credentials'),
    intervalMs: milliseconds(100).default(10_000).describe('Length of one observation window, milliseconds'),
    failureRatio: z.number().min(0.01).max(1).default(0.5).describe('Share of failures in one window that ejects'),
    minimumCalls: z.int().min(1).max(1_000_000).default(20).describe('Calls in a window below which shares say nothing'),
    successRateStdevFactor: z
      .number()
      .min(0.1)
      .max(100)
      .default(1.9)
      .describe('Ejects a target whose success rate lies this many standard deviations below the mean of all targets'),
    minimumTargets: z
      .int()
      .min(2)
      .max(1_000)
      .default(5)
      .describe('Targets with enough calls below which their success rates are not compared'),
    baseEjectionMs: milliseconds(100)
      .default(30_000)
      .describe('How long the first ejection lasts, milliseconds; the nth lasts n times as long. Then one call tries the target'),
    maxEjectionMs: milliseconds(100).default(300_000).describe('Longest ejection, milliseconds'),
    maxEjectionRatio: z
      .number()
      .min(0)
      .max(1)
      .default(0.5)
      .describe("Most of a route's targets that may be out at once; at least one may, and the last one never is"),
    probes: z
      .strictObject({
        intervalMs: milliseconds(1_000).default(15_000).describe('Time between two probes of a target, milliseconds'),
        timeoutMs: milliseconds(100).default(10_000).describe('A probe that takes longer has failed, milliseconds'),
        idleAfterMs: milliseconds(1_000)
          .optional()
          .describe('Also probe targets that had no call for this long, milliseconds; absent = ejected ones only'),
      })
      .optional()
      .describe('Try targets with a call of one token, off the path of requests. It costs, under the feature plimsoll-probe'),
  })
  .prefault({})
  .describe('When a target is taken out of routes that have others, and how it comes back (circuit breaker, outlier ejection)');

export function healthPolicy(config: z.output<typeof healthConfig>): HealthPolicy {
  const { probes } = config;
  return { ...config, probes: probes === undefined ? null : { ...probes, idleAfterMs: probes.idleAfterMs ?? null } };
}
