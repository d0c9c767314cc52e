import { z } from 'zod';
import { defineCommand } from '../../kernel/commands.ts';
import { PlimsollError } from '../../kernel/errors.ts';
import { formatUsd } from '../../kernel/money.ts';
import type { LoadLine, LoadLines } from '../../slo/model.ts';
import type { CliContext } from '../cli.ts';
import { formatCount, parsePeriod } from '../format.ts';
import { renderTable } from '../terminal.ts';

const VERDICTS: Readonly<Record<LoadLine['verdict'], string>> = {
  within: 'within',
  beyond: 'BEYOND',
  unclear: 'not enough evidence',
  no_line: 'no line set',
  unmeasured: 'unmeasured',
};

/** To the third significant digit: intervals are wider than that. */
function inUnit(unit: LoadLine['unit'], value: number): string {
  switch (unit) {
    case 'ms':
      return `${Math.round(value)} ms`;
    case 'share':
      return `${Number((value * 100).toPrecision(3))} %`;
    case 'stars':
      return value.toFixed(2);
    case 'usd':
      return `$${formatUsd(BigInt(Math.round(Number(value.toPrecision(3)) * 1e12)))}`;
    default:
      return unit satisfies never;
  }
}

function cells(feature: string, line: LoadLine): string[] {
  const { unit, value, interval, verdict, sense, reason } = line;
  const limit = line.line === null ? '–' : `${sense === 'at_most' ? '≤' : '≥'} ${inUnit(unit, line.line)}`;
  if (value === null) return [feature, line.title, VERDICTS[verdict], '–', '–', limit, reason ?? ''];
  const ends = interval === null ? 'too few' : interval.map((end) => inUnit(unit, end)).join(' – ');
  return [feature, line.title, VERDICTS[verdict], inUnit(unit, value), ends, limit, `${formatCount(line.count)} ${line.countOf}`];
}

function render({ features }: LoadLines): string {
  const columns = [
    { title: 'feature' },
    { title: 'load line' },
    { title: 'state' },
    ...['value', '95 % interval', 'line'].map((title) => ({ title, isNumber: true })),
    { title: 'of' },
  ];
  const rows = features.flatMap(({ feature, lines }) => lines.map((line, place) => cells(place === 0 ? feature : '', line)));
  return renderTable(columns, rows);
}

export default defineCommand<CliContext>()({
  name: 'features lines',
  summary: 'Where features stand against their load lines, or why a line is unmeasured',
  example: 'plimsoll features lines customer-support --last 7d',
  options: z.strictObject({
    feature: z.string().optional().describe('Only of this feature'),
    last: z.string().default('24h').describe('Period up to now: 24h, 7d …'),
  }),
  positionals: ['feature'],
  async run({ options, output, context }) {
    const to = Date.now();
    const query = { from: to - parsePeriod(options.last), to, ...(options.feature === undefined ? {} : { feature: options.feature }) };
    const lines = await context.client.call<LoadLines>('GET', '/api/v1/load-lines', { query });
    if (options.feature !== undefined && lines.features.length === 0)
      throw new PlimsollError('not_found', `There is no feature "${options.feature}", and no call of the last ${options.last} names it.`);
    output.print(lines.features.length === 0 ? 'There is no feature, and no call names one.' : render(lines), lines);
    return 0;
  },
});
