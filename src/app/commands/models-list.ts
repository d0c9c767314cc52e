import { z } from 'zod';
import { dayOf } from '../../features/model-approval.ts';
import { defineCommand } from '../../kernel/commands.ts';
import type { ModelList } from '../catalogue-routes.ts';
import type { CliContext } from '../cli.ts';
import { renderTable } from '../terminal.ts';

type Model = ModelList['models'][number];

function lifecycleText({ isDeprecated, retiresAt, successor }: Model): string {
  if (retiresAt !== null) return `retires ${dayOf(retiresAt)}${successor === null ? '' : ` → ${successor}`}`;
  return isDeprecated ? 'deprecated' : '–';
}

function placeText({ region, isSelfHosted }: Model): string {
  return [region ?? '', isSelfHosted ? 'self-hosted' : ''].filter((text) => text !== '').join(', ') || '–';
}

export default defineCommand<CliContext>()({
  name: 'models list',
  summary: 'List models with prices, versions, approvals and retirements',
  example: 'plimsoll models list',
  options: z.strictObject({}),
  async run({ output, context }) {
    const list = await context.client.call<ModelList>('GET', '/api/v1/models');
    const price = (value: string | null): string => value ?? 'unpriced';
    output.print(
      renderTable(
        [
          { title: 'model' },
          { title: 'provider' },
          { title: 'upstream model' },
          { title: 'input $/M', isNumber: true },
          { title: 'output $/M', isNumber: true },
          { title: 'price id' },
          { title: 'version' },
          { title: 'place' },
          { title: 'lifecycle' },
        ],
        list.models.map((model) => [
          model.name,
          model.provider,
          model.upstreamModel,
          price(model.inputPerMillionUsd),
          price(model.outputPerMillionUsd),
          model.priceId ?? '–',
          model.isPinned ? 'pinned' : 'floating',
          placeText(model),
          lifecycleText(model),
        ]),
      ),
      list,
    );
    output.note(`\nRoutes: ${list.routes.map((route) => `${route.name} → ${route.targets.join(', ')}`).join('; ')}`);
    for (const { name, warning, approvals } of list.models) {
      if (warning !== null) output.note(`▲ ${name} ${warning}`);
      for (const { feature, status, approvedBy, evaluation, expiresAt, isExpired } of approvals) {
        const by = approvedBy === null ? '' : ` by ${approvedBy}`;
        const basis = evaluation === null ? ', no evaluation named' : ` (${evaluation})`;
        const end = expiresAt === null ? '' : isExpired ? `, expired ${dayOf(expiresAt)}` : `, until ${dayOf(expiresAt)}`;
        output.note(`${isExpired ? '▲' : '●'} ${name}: ${status} for ${feature}${by}${basis}${end}`);
      }
    }
    return 0;
  },
});
