import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { defineCommand } from '../../kernel/commands.ts';
import { dayText, parseDay } from '../../kernel/config/day.ts';
import { PlimsollError } from '../../kernel/errors.ts';
import { formatUsd } from '../../kernel/money.ts';
import type { ReplayItem, ReplayReport } from '../../traces/replay/model.ts';
import type { CliContext } from '../cli.ts';
import { countOf, formatCount, formatMs } from '../format.ts';
import { renderTable } from '../terminal.ts';

const POLL_MS = 400;
const PAGE = 200;
/** Lines of the table of calls; the rest is in --json and on the page. */
const SHOWN_CALLS = 20;

interface ItemPage {
  readonly items: ReplayItem[];
  readonly nextAfter: number | null;
}

const usd = (pico: string): string => `$${formatUsd(BigInt(pico))}`;
const cost = (pico: string | null): string => (pico === null ? 'unpriced' : usd(pico));

function itemCells({ number, recorded, replayed, comparison, state, message }: ReplayItem): string[] {
  const outcome = replayed === null ? (message ?? state) : replayed.status === 'ok' ? 'ok' : (replayed.errorType ?? replayed.status);
  return [
    `${number}`,
    `${recorded.model ?? '–'} → ${replayed?.model ?? '–'}`,
    outcome,
    `${cost(recorded.costPicoUsd)} → ${replayed === null ? '–' : cost(replayed.costPicoUsd)}`,
    `${formatMs(recorded.durationMs)} → ${replayed === null ? '–' : formatMs(replayed.durationMs)}`,
    comparison === null ? '–' : comparison.isSameText ? 'same text' : comparison.wordOverlap.toFixed(2),
    replayed?.traceId ?? '',
  ];
}

function planText({ selected, skipped, estimatePicoUsd, expectedPicoUsd, request }: ReplayReport): string {
  const left = Object.entries(skipped).map(([reason, count]) => `${countOf(count, 'call')} left out: ${reason}.`);
  const expected =
    expectedPicoUsd === null
      ? 'not known (some recorded calls have no token counts)'
      : `about ${usd(expectedPicoUsd)} for the recorded tokens`;
  const upper = estimatePicoUsd === null ? '' : `, at most ${usd(estimatePicoUsd)} by estimate`;
  return [
    `${countOf(selected, 'call')} to ${request.model ?? 'the recorded model'}: ${expected}${upper}; ceiling $${request.maxCostUsd}.`,
    ...left,
  ].join('\n');
}

function summaryText({ state, reason, summary }: ReplayReport): string {
  const { cost: sums, medianDurationMs, medianOutputTokens, sameText, medianWordOverlap } = summary;
  const ms = (value: number | null): string => (value === null ? '–' : formatMs(value));
  const count = (value: number | null): string => (value === null ? '–' : formatCount(value));
  const head = [
    `${state}${reason === null ? '' : `: ${reason}`}`,
    `${summary.done} of ${countOf(summary.total, 'call')} made: ${summary.ok} ok, ${summary.errors} errors${summary.failed === 0 ? '' : `, ${summary.failed} without a record`}; ${usd(summary.spentPicoUsd)} spent${summary.unpricedCalls === 0 ? '' : ` and ${countOf(summary.unpricedCalls, 'call')} unpriced`}`,
  ];
  if (summary.done === 0) return head.join('\n');
  return [
    ...head,
    `cost           ${usd(sums.recordedPicoUsd)} → ${usd(sums.replayedPicoUsd)}  (n = ${sums.n})`,
    `duration p50   ${ms(medianDurationMs.recorded)} → ${ms(medianDurationMs.replayed)}  (n = ${medianDurationMs.n})`,
    `output tokens  ${count(medianOutputTokens.recorded)} → ${count(medianOutputTokens.replayed)}  (median, n = ${medianOutputTokens.n})`,
    `same text      ${sameText.count} of ${sameText.n}; word overlap ${medianWordOverlap.value === null ? '–' : medianWordOverlap.value.toFixed(2)} (median)`,
    `quality        ${summary.quality}`,
  ].join('\n');
}

export default defineCommand<CliContext>()({
  name: 'traces replay',
  summary: 'Make recorded calls again, as they were or at another model, under a cost ceiling',
  example: 'plimsoll traces replay --feature customer-support --on gpt-5-nano --max-cost 0.50 --limit 50',
  options: z.strictObject({
    id: z
      .string()
      .regex(/^[0-9a-f]{32}$/, 'a trace id has 32 hex digits')
      .optional()
      .describe('Trace whose calls are made again; left out = a filter below'),
    on: z.string().optional().describe('Route or model alias to ask; left out = the recorded one, byte for byte'),
    maxCost: z.coerce.number().positive().describe('Ceiling in US dollars for the whole replay'),
    feature: z.string().optional().describe('Only calls of this feature'),
    model: z.string().optional().describe('Only calls of this model'),
    status: z.enum(['ok', 'error', 'aborted']).optional().describe('Only calls that ended so'),
    from: dayText('First day or moment, UTC').optional().describe('First day or moment, UTC'),
    to: dayText('End').optional().describe('End, exclusive; now when absent'),
    limit: z.coerce.number().int().min(1).max(1000).default(100).describe('Most calls'),
    concurrency: z.coerce.number().int().min(1).max(16).default(4).describe('Calls at a time'),
    dryRun: z.boolean().default(false).describe('Only choose the calls and estimate'),
    detach: z.boolean().default(false).describe('Print the id and leave; the replay goes on'),
  }),
  positionals: ['id'],
  async run({ options, output, context, signal }) {
    const { id, on, maxCost, feature, model, status, from, to, limit, concurrency, dryRun, detach } = options;
    const { client } = context;
    const wanted = {
      feature,
      model,
      status,
      from: from === undefined ? undefined : parseDay(from),
      to: to === undefined ? undefined : parseDay(to),
    };
    const filter = Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined));
    if (id !== undefined && Object.keys(filter).length > 0)
      throw new PlimsollError('invalid_argument', 'Give a trace id or a filter, not both.', { details: { param: 'id' } });
    const source = id === undefined ? { filter, limit } : { traceId: id };
    const body = { source, model: on ?? null, maxCostUsd: maxCost, concurrency, starts: 'when-told' };
    let run = await client.call<ReplayReport>('POST', '/api/v1/replays', { body });
    const path = `/api/v1/replays/${run.id}`;
    const look = async (): Promise<void> => {
      await sleep(POLL_MS, undefined, { signal });
      run = await client.call<ReplayReport>('GET', path);
    };
    try {
      while (run.state === 'selecting') {
        output.progress('choosing calls …');
        await look();
      }
      output.progress('');
      if (run.state !== 'ready') throw new PlimsollError('invalid_argument', run.reason ?? `The replay is ${run.state}.`);
      output.note(planText(run));
      if (dryRun) {
        run = await client.call<ReplayReport>('POST', `${path}/cancel`);
        output.print('Nothing was called (--dry-run).', run);
        return 0;
      }
      run = await client.call<ReplayReport>('POST', `${path}/start`);
      if (detach) {
        output.print(`Replay ${run.id} goes on; see ${client.baseUrl}/replays/${run.id}`, run);
        return 0;
      }
      while (run.state === 'running') {
        output.progress(`${run.summary.done} of ${countOf(run.summary.total, 'call')}, ${usd(run.summary.spentPicoUsd)} spent`);
        await look();
      }
    } catch (thrown) {
      // Nobody waits for it any more: what is left is not paid for.
      if (signal.aborted && run.endedAtMs === null) {
        await client.call('POST', `${path}/cancel`).catch(() => {});
        output.note(`Replay ${run.id} was cancelled.`);
      }
      throw thrown;
    }
    output.progress('');
    const items: ReplayItem[] = [];
    for (let after: number | null = 0; after !== null; ) {
      const page: ItemPage = await client.call<ItemPage>('GET', `${path}/items`, { query: { after, limit: PAGE } });
      items.push(...page.items);
      after = page.nextAfter;
    }
    const columns = [
      { title: '#', isNumber: true },
      { title: 'model' },
      { title: 'outcome' },
      { title: 'cost' },
      { title: 'duration' },
      { title: 'overlap' },
      { title: 'trace' },
    ];
    const more = items.length > SHOWN_CALLS ? `… and ${items.length - SHOWN_CALLS} more: ${client.baseUrl}/replays/${run.id}\n` : '';
    output.print(`${renderTable(columns, items.slice(0, SHOWN_CALLS).map(itemCells))}\n${more}\n${summaryText(run)}`, { ...run, items });
    return run.state === 'done' && run.summary.failed === 0 ? 0 : 1;
  },
});
