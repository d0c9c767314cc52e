import { z } from 'zod';
import type { CostPlan } from '../../costs/plan/plan.ts';
import { defineCommand } from '../../kernel/commands.ts';
import type { CliContext } from '../cli.ts';
import { formatCost, formatCount, parsePeriod } from '../format.ts';
import { renderTable } from '../terminal.ts';

const usd = (pico: string | null): string => (pico === null ? 'unpriced' : formatCost(pico, 0));

function render(plan: CostPlan): string {
  const { basis, months, sensitivity, models, budgets, selfHosted } = plan;
  const number = (title: string) => ({ title, isNumber: true });
  const parts = [
    `From ${basis.text}.`,
    `${formatCount(Math.round(plan.requestsPerDay))} requests a day, ${formatCount(plan.tokensPerRequest)} tokens and ${usd(plan.perRequestPicoUsd)} each.`,
    '',
    renderTable(
      [{ title: 'month' }, number('requests'), number('cost')],
      months
        .filter(({ month }) => [1, 2, 3, 6, 12].includes(month))
        .map(({ month, requests, picoUsd }) => [`${month}`, formatCount(requests), usd(picoUsd)]),
    ),
    '',
    renderTable(
      [{ title: 'if' }, number('less'), number('more'), { title: 'of' }],
      sensitivity.map(({ step, lowPicoUsd, highPicoUsd, month }) => [step, usd(lowPicoUsd), usd(highPicoUsd), `month ${month}`]),
    ),
  ];
  if (models.length > 0)
    parts.push(
      '',
      renderTable(
        [{ title: 'all on' }, number('month 1'), number('difference')],
        models.map(({ model, monthPicoUsd, differencePicoUsd }) => [
          model,
          usd(monthPicoUsd),
          differencePicoUsd === null ? '–' : usd(differencePicoUsd),
        ]),
      ),
    );
  if (selfHosted !== null) {
    const even = selfHosted.breakEvenRequestsPerMonth;
    parts.push(
      '',
      `Self-hosted: ${usd(selfHosted.perMillionTokensPicoUsd)} a million tokens, ${usd(selfHosted.monthPicoUsd)} a month for ${selfHosted.replicas} ${selfHosted.replicas === 1 ? 'replica' : 'replicas'}; ${
        even === null ? 'never cheaper per request than the vendor' : `cheaper from ${formatCount(even)} requests a month on`
      }.`,
    );
  }
  parts.push('', ...budgets.map(({ period, usd: amount, rule }) => `Budget per ${period}: $${amount} (${rule}).`), '', plan.limitsYaml);
  return parts.join('\n');
}

export default defineCommand<CliContext>()({
  name: 'costs plan',
  summary: 'What a load will cost: months, sensitivity, other models, budgets, self-hosting; from real traces or a description',
  example: 'plimsoll costs plan --requests-per-day 5000 --input-tokens 1200 --output-tokens 300 --models fast:80,careful:20 --growth 0.1',
  options: z.strictObject({
    feature: z.string().optional().describe('From real traces of this feature; of all when nothing is described'),
    last: z.string().optional().describe('Traces of the last 7d, 28d …; 28 days when left out'),
    requestsPerDay: z.coerce.number().optional().describe('Requests a day; with traces: instead of theirs'),
    inputTokens: z.coerce.number().int().optional().describe('Described: mean input of a request, tokens'),
    outputTokens: z.coerce.number().int().optional().describe('Described: mean output of a request, tokens'),
    cachedRatio: z.coerce.number().optional().describe('Described: share of input from the prompt cache, 0 to 1'),
    models: z.string().optional().describe('Described: models with weights, e.g. fast:80,careful:20; or provider/model of the price book'),
    growth: z.coerce.number().optional().describe('Growth of requests a month, 0.1 = 10 %'),
    alternatives: z.string().optional().describe('Models to compare with; all of plimsoll.yaml when left out'),
    gpuHourUsd: z.string().optional().describe('Self-hosted: US dollars a GPU hour'),
    gpusPerReplica: z.coerce.number().int().optional().describe('Self-hosted: GPUs of a replica'),
    tokensPerSecond: z.coerce.number().optional().describe('Self-hosted: measured throughput of a saturated replica, input and output'),
    utilisation: z.coerce.number().optional().describe('Self-hosted: share of the time that a replica is busy; 0.5 when left out'),
    peakFactor: z.coerce.number().optional().describe('Self-hosted: busiest hour over the mean; 3 when left out'),
  }),
  async run({ options, output, context }) {
    const { last, ...rest } = options;
    const query = { ...rest, ...(last === undefined ? {} : { from: Date.now() - parsePeriod(last), to: Date.now() }) };
    const plan = await context.client.call<CostPlan>('GET', '/api/v1/costs/plan', { query });
    output.print(render(plan), plan);
    return 0;
  },
});
