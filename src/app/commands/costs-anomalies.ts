import { z } from 'zod';
import type { CostAnomalyList, CostAnomalyView } from '../../costs/anomalies/model.ts';
import { defineCommand } from '../../kernel/commands.ts';
import type { CliContext } from '../cli.ts';
import { formatCost, formatCount, formatTime } from '../format.ts';
import { renderTable } from '../terminal.ts';

function state({ endedAt, handling }: CostAnomalyView): string {
  const since = endedAt === null ? 'open' : 'ended';
  return handling === null ? since : `${since}, ${handling.kind} by ${handling.by}`;
}

function cause({ causes }: CostAnomalyView): string {
  const first = causes?.ranked[0];
  return first === undefined ? '–' : `${first.effect}: ${first.model} for ${first.feature}, ${formatCost(first.picoUsd, 0)}`;
}

function render({ anomalies, watch }: CostAnomalyList): string {
  const table = renderTable(
    [
      { title: 'id' },
      { title: 'of' },
      { title: 'kind' },
      { title: 'from' },
      { title: 'cost', isNumber: true },
      { title: 'usual', isNumber: true },
      { title: 'state' },
      { title: 'largest cause' },
    ],
    anomalies.map((anomaly) => [
      anomaly.id,
      `${anomaly.dimension} ${anomaly.key ?? '(none)'}`,
      anomaly.detector,
      formatTime(anomaly.from),
      formatCost(anomaly.observedPicoUsd, 0),
      formatCost(anomaly.expectedPicoUsd, 0),
      state(anomaly),
      cause(anomaly),
    ]),
  );
  const learning = watch.learning
    .slice(0, 5)
    .map(({ dimension, key, readyAt }) => `${dimension} ${key ?? '(none)'} from ${formatTime(readyAt)}`);
  const remarks = [
    watch.checkedTo === null
      ? 'No hour was judged yet.'
      : `Judged up to ${formatTime(watch.checkedTo)}: ${formatCount(watch.watched)} series.`,
    ...(learning.length === 0
      ? []
      : [`${watch.learning.length} need two weeks of history: ${learning.join('; ')}${watch.learning.length > 5 ? ' …' : ''}`]),
  ];
  return `${anomalies.length === 0 ? 'No anomalies.' : table}\n${remarks.join('\n')}`;
}

export default defineCommand<CliContext>()({
  name: 'costs anomalies',
  summary: 'Costs that were too high by what is usual, with their causes',
  example: 'plimsoll costs anomalies --state open',
  options: z.strictObject({
    state: z.enum(['open', 'ended']).optional().describe('open or ended; both when left out'),
    key: z.string().optional().describe('Name of a feature, team or model'),
    limit: z.coerce.number().int().min(1).max(200).default(20).describe('The newest so many'),
  }),
  async run({ options, output, context }) {
    const list = await context.client.call<CostAnomalyList>('GET', '/api/v1/costs/anomalies', { query: options });
    output.print(render(list), list);
    return 0;
  },
});
