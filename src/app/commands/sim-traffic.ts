import { z } from 'zod';
import type { KeyCreated } from '../../identity/model.ts';
import { systemClock } from '../../kernel/clock.ts';
import { defineCommand } from '../../kernel/commands.ts';
import { PlimsollError } from '../../kernel/errors.ts';
import { CORPUS_FEATURES } from '../../sim/corpus/features.ts';
import { runTraffic, type TrafficReport } from '../../sim/traffic.ts';
import { TRAFFIC_KINDS, type TrafficMix, USUAL_MIX } from '../../sim/traffic-scenarios.ts';
import type { CliContext } from '../cli.ts';
import { formatCount, formatMs } from '../format.ts';
import { renderTable } from '../terminal.ts';

export default defineCommand<CliContext>()({
  name: 'sim traffic',
  summary: 'Drive the example features through the running gateway',
  example: 'plimsoll sim traffic --rps 20 --minutes 5',
  options: z.strictObject({
    rps: z.coerce.number().positive().max(1_000).default(5).describe('Calls per second, on average'),
    minutes: z.coerce.number().positive().max(10_080).default(1).describe('How long'),
    model: z.string().default('default').describe('Route or model that the calls ask for'),
    seed: z.coerce.number().int().nonnegative().default(1).describe('Same seed = same calls'),
    faults: z.coerce.number().min(0).max(1).default(0.02).describe('Share of the calls that ask for a failure'),
    mix: z
      .string()
      .default('')
      .describe(`What sessions do, as relative shares: ${TRAFFIC_KINDS.map((kind) => `${kind}=${USUAL_MIX[kind]}`).join(',')} when absent`),
    users: z.coerce.number().int().min(1).max(1_000_000).default(120).describe('Different users; the first ones come most often'),
    embeddingModel: z.string().optional().describe('Route or model for embeddings; as --model when absent'),
    diurnal: z.boolean().default(false).describe('Follow the hours of a working day'),
  }),
  async run({ options, output, context, signal }) {
    const { features } = await context.client.call<{ features: { name: string }[] }>('GET', '/api/v1/features');
    const wanted = CORPUS_FEATURES.map((feature) => feature.name).filter((name) => features.some((feature) => feature.name === name));
    if (wanted.length === 0) {
      output.note(`The configuration has none of the example features (${CORPUS_FEATURES.map((feature) => feature.name).join(', ')}).`);
      return 1;
    }
    const made = await Promise.all(
      wanted.map((feature) =>
        context.client.call<KeyCreated>('POST', '/api/v1/keys', {
          body: {
            name: `sim traffic, ${feature}`,
            feature,
            team: CORPUS_FEATURES.find((entry) => entry.name === feature)?.team,
            expiresAt: Date.now() + options.minutes * 60_000 + 600_000,
          },
        }),
      ),
    );
    try {
      const report = await runTraffic({
        baseUrl: `${context.client.baseUrl}/v1`,
        keys: Object.fromEntries(wanted.map((feature, index) => [feature, made[index]?.key ?? ''])),
        model: options.model,
        rps: options.rps,
        durationMs: options.minutes * 60_000,
        seed: options.seed,
        clock: systemClock,
        faultRatio: options.faults,
        isDiurnal: options.diurnal,
        mix: readMix(options.mix),
        users: options.users,
        ...(options.embeddingModel === undefined ? {} : { embeddingModel: options.embeddingModel }),
        signal,
        onProgress: ({ elapsedMs, started, failed, inFlight }) =>
          output.progress(
            `${Math.round(elapsedMs / 1_000)} s of ${Math.round(options.minutes * 60)} s: ${formatCount(started)} calls, ${failed} failed, ${inFlight} in flight (Ctrl-C ends it)`,
          ),
      });
      output.print(renderReport(report), report);
      return 0;
    } finally {
      await Promise.all(made.map((key) => context.client.call('DELETE', `/api/v1/keys/${key.id}`)));
    }
  },
});

/** @throws PlimsollError `invalid_argument` */
function readMix(text: string): TrafficMix {
  if (text === '') return USUAL_MIX;
  const mix = Object.fromEntries(TRAFFIC_KINDS.map((kind) => [kind, 0]));
  for (const part of text.split(',')) {
    const match = /^\s*([a-z]+)=(\d{1,4}(?:\.\d{1,3})?)\s*$/.exec(part);
    const kind = TRAFFIC_KINDS.find((known) => known === match?.[1]);
    if (kind === undefined)
      throw new PlimsollError(
        'invalid_argument',
        `--mix "${part}" is not understood; write e.g. chat=5,responses=1 with: ${TRAFFIC_KINDS.join(', ')}`,
      );
    mix[kind] = Number(match?.[2]);
  }
  return mix as TrafficMix; // made from all kinds
}

function renderReport(report: TrafficReport): string {
  const rows = [
    ['calls', formatCount(report.started)],
    ['succeeded', formatCount(report.succeeded)],
    [
      'failed',
      `${formatCount(report.failed)}${
        Object.keys(report.errors).length > 0
          ? ` (${Object.entries(report.errors)
              .map(([name, count]) => `${name} ${count}`)
              .join(', ')})`
          : ''
      }`,
    ],
    ['left before the end', formatCount(report.aborted)],
    [
      'by kind',
      TRAFFIC_KINDS.flatMap((kind) => (report.byKind[kind] === undefined ? [] : `${kind} ${formatCount(report.byKind[kind] ?? 0)}`)).join(
        ', ',
      ),
    ],
    ...(report.unserved.length > 0 ? [['not served here', `${report.unserved.join(', ')} (${formatCount(report.notServed)} calls)`]] : []),
    ['streams', formatCount(report.streams)],
    ['with tool calls', formatCount(report.toolCalls)],
    ['tokens in / out', `${formatCount(report.inputTokens)} / ${formatCount(report.outputTokens)}`],
    ['duration P50 / P95', report.durationMs ? `${formatMs(report.durationMs.p50)} / ${formatMs(report.durationMs.p95)}` : 'unmeasured'],
    ['first token P50 / P95', report.ttftMs ? `${formatMs(report.ttftMs.p50)} / ${formatMs(report.ttftMs.p95)}` : 'unmeasured'],
  ];
  return `${report.wasCancelled ? 'Cancelled after' : 'Ran for'} ${Math.round(report.elapsedMs / 1_000)} s, simulated users.\n\n${renderTable([{ title: '' }, { title: '' }], rows)}`;
}
