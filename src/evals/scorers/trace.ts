import { z } from 'zod';
import { type Score, unmeasured, verdict } from '../score.ts';
import { defineScorer, type Subject, type TracedSpan } from '../scorer.ts';
import { matchesGlob } from '../trajectory.ts';

function withSpans({ spans }: Subject, pattern: string, judge: (found: readonly TracedSpan[]) => Score): Score {
  if (spans === null) return unmeasured('There is no trace of the run.');
  return judge(spans.filter(({ name }) => matchesGlob(name, pattern)));
}

const pattern = z.string().min(1).default('*');

export default [
  defineScorer({
    names: ['trace-span-count'],
    summary: 'So many spans of the run have a name of this pattern.',
    source: 'promptfoo. Patterns with * and ?, in capitals or not.',
    direction: 'higher',
    needs: ['spans'],
    options: z.strictObject({
      value: z
        .strictObject({ pattern: z.string().min(1), min: z.number().optional(), max: z.number().optional() })
        .describe('{ pattern, min, max }'),
    }),
    score: (subject, { value: { pattern: wanted, min = 0, max = Number.POSITIVE_INFINITY } }) =>
      withSpans(subject, wanted, ({ length }) => verdict(length >= min && length <= max, `${length} spans are called ${wanted}.`)),
  }),
  defineScorer({
    names: ['trace-span-duration'],
    summary: 'No span of this pattern took longer; or a percentile of them did not.',
    source: 'promptfoo. The percentile by the nearest rank. Passes where no span has such a name.',
    direction: 'higher',
    needs: ['spans'],
    options: z.strictObject({
      value: z
        .strictObject({ pattern, max: z.number(), percentile: z.number().min(0).max(100).optional() })
        .describe('{ pattern, max in milliseconds, percentile }'),
    }),
    score: (subject, { value: { pattern: wanted, max, percentile = 100 } }) =>
      withSpans(subject, wanted, (found) => {
        const durations = found.map(({ durationMs }) => durationMs).sort((a, b) => a - b);
        const slowest = durations[Math.max(0, Math.ceil((percentile / 100) * durations.length) - 1)];
        if (slowest === undefined) return verdict(true, `No span is called ${wanted}.`);
        return verdict(
          slowest <= max,
          `${percentile === 100 ? 'The slowest' : `Percentile ${percentile}`} took ${slowest} ms, allowed ${max} ms.`,
        );
      }),
  }),
  defineScorer({
    names: ['trace-error-spans'],
    summary: 'Not more spans of this pattern failed than allowed: a number, or a percentage.',
    source: 'promptfoo; none when nothing is said. A span failed when its status says so. Passes where no span has such a name.',
    direction: 'higher',
    needs: ['spans'],
    options: z.strictObject({
      value: z
        .union([
          z.number().transform((most) => ({ max_count: most, max_percentage: undefined, pattern: '*' })),
          z.strictObject({ max_count: z.number().optional(), max_percentage: z.number().optional(), pattern }),
        ])
        .optional()
        .describe('Most failed spans, or { max_count, max_percentage, pattern }'),
    }),
    score: (subject, { value }) =>
      withSpans(subject, value?.pattern ?? '*', (found) => {
        const errors = found.filter(({ isError }) => isError);
        const percentage = value?.max_percentage;
        const most = value?.max_count ?? (percentage === undefined ? 0 : Number.POSITIVE_INFINITY);
        const share = found.length === 0 ? 0 : (errors.length / found.length) * 100;
        const passed = errors.length <= most && share <= (percentage ?? 100);
        const names = errors.slice(0, 3).map(({ name }) => name);
        return verdict(passed, `${errors.length} of ${found.length} spans failed${names.length === 0 ? '' : `: ${names.join(', ')}`}.`);
      }),
  }),
];
