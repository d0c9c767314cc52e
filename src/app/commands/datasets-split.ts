import { z } from 'zod';
import type { PartCounts } from '../../datasets/check.ts';
import type { SplitPlan } from '../../datasets/split.ts';
import { defineCommand } from '../../kernel/commands.ts';
import { dayText, parseDay } from '../../kernel/config/day.ts';
import { PlimsollError } from '../../kernel/errors.ts';
import type { CliContext } from '../cli.ts';
import { datasetPath, datasetReference } from '../dataset-client.ts';

const ratio = z.coerce.number().min(0).max(0.9);

export default defineCommand<CliContext>()({
  name: 'datasets split',
  summary: 'Divide a dataset into train, dev and a sealed holdout, by cluster or by time; nothing leaks, and added cases move nothing',
  example: 'plimsoll datasets split support --by cluster --holdout 0.2 --dev 0.1',
  options: z.strictObject({
    dataset: z.string().describe('Name'),
    by: z
      .enum(['cluster', 'time', 'none'])
      .default('cluster')
      .describe('cluster: by document, conversation or user; time: what is new is sealed; none: all is open'),
    holdout: ratio.default(0.2).describe('By cluster: share of clusters that are sealed'),
    dev: ratio.default(0).describe('Share of clusters for dev'),
    from: dayText('By time: sealed from here on').optional().describe('By time: sealed from this day on (UTC)'),
    seed: z.string().default('1').describe('Another seed gives another split'),
    openHoldout: z.string().optional().describe('Why cases that are sealed now may be opened; counted and shown for good'),
  }),
  positionals: ['dataset'],
  async run({ options, output, context }) {
    const { by, holdout, dev, from, seed, openHoldout } = options;
    const { name } = datasetReference(options.dataset);
    if (by === 'time' && from === undefined)
      throw new PlimsollError('invalid_argument', '--by time needs --from, such as --from 2026-11-01');
    const split: SplitPlan | null =
      by === 'none'
        ? null
        : by === 'time'
          ? { by, seed, devRatio: dev, holdoutFrom: parseDay(from ?? '') }
          : { by, seed, devRatio: dev, holdoutRatio: holdout };
    const saved = await context.client.call('PUT', `${datasetPath(name)}/split`, {
      body: { split, ...(openHoldout === undefined ? {} : { reason: openHoldout }) },
    });
    const { parts } = await context.client.call<{ parts: PartCounts }>('GET', `${datasetPath(name)}/cases`, { query: { limit: 1 } });
    output.print(`${name}: ${parts.train} train, ${parts.dev} dev, ${parts.holdout} sealed, ${parts.excluded} in no part.`, {
      dataset: saved,
      parts,
    });
    return 0;
  },
});
