import { z } from 'zod';
import { defineCommand } from '../../kernel/commands.ts';
import type { ModelList } from '../catalogue-routes.ts';
import type { CliContext } from '../cli.ts';
import { renderTable } from '../terminal.ts';

export default defineCommand<CliContext>()({
  name: 'models',
  summary: 'List models and routes with their prices',
  example: 'plimsoll models',
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
        ],
        list.models.map((model) => [
          model.name,
          model.provider,
          model.upstreamModel,
          price(model.inputPerMillionUsd),
          price(model.outputPerMillionUsd),
          model.priceId ?? '–',
        ]),
      ),
      list,
    );
    output.note(`\nRoutes: ${list.routes.map((route) => `${route.name} → ${route.targets.join(', ')}`).join('; ')}`);
    return 0;
  },
});
