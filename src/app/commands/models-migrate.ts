import { z } from 'zod';
import { defineCommand } from '../../kernel/commands.ts';
import type { CliContext } from '../cli.ts';
import type { ModelMigration } from '../model-migration.ts';

function sideText({ provider, model, isPinned, inputPerMillionUsd, outputPerMillionUsd }: ModelMigration['from']): string {
  const price =
    inputPerMillionUsd === null ? 'unpriced' : `$${inputPerMillionUsd} in, $${outputPerMillionUsd ?? '?'} out per million tokens`;
  return `${model} at ${provider} (${isPinned ? 'pinned' : 'floating'}; ${price})`;
}

export default defineCommand<CliContext>()({
  name: 'models migrate',
  summary: 'Plan the move of a model to another version; prints the patch',
  example: 'plimsoll models migrate gpt --to gpt-5-2026-01-01 > migrate.patch',
  options: z.strictObject({
    alias: z.string().describe('Model alias in plimsoll.yaml'),
    to: z.string().optional().describe('A model alias, or an id of the same provider; left out = the configured successor'),
  }),
  positionals: ['alias'],
  async run({ options, output, context }) {
    const path = `/api/v1/models/${encodeURIComponent(options.alias)}/migration`;
    const plan = await context.client.call<ModelMigration>('GET', path, { query: { to: options.to } });
    output.note(`${plan.alias}: ${sideText(plan.from)}\n  → ${sideText(plan.to)}\n`);
    if (plan.features.length === 0) output.note('No feature’s route uses it.');
    for (const { name, effects } of plan.features) output.note(`feature ${name}: ${effects.join(' ') || 'its route uses it'}`);
    for (const warning of plan.warnings) output.note(`▲ ${warning}`);
    for (const { name, isAvailable, text } of plan.steps) output.note(`${isAvailable ? '●' : '○'} ${name}: ${text}`);
    output.note('');
    // The patch alone goes to stdout, so that it can be piped into "patch -p0".
    output.print(plan.patch.replace(/\n$/, ''), plan);
    return 0;
  },
});
