import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { type CacheCheckReport, CachePair, type CacheView, type CheckMeasure } from '../../gateway/cache/model.ts';
import { type CommandOutput, defineCommand } from '../../kernel/commands.ts';
import { PlimsollError } from '../../kernel/errors.ts';
import type { CliContext } from '../cli.ts';
import { formatCount, formatRate } from '../format.ts';
import { withSimilarity } from '../pair-similarity.ts';
import { renderTable } from '../terminal.ts';

/** Of the thresholds that were tried, those worth a line. */
const SHOWN: ReadonlySet<number> = new Set([0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.92, 0.94, 0.95, 0.96, 0.98, 1]);
const EXIT_NOT_SAFE = 2;
/** How alike two questions are is measured, never taken from the file. */
const LabelledPair = CachePair.omit({ similarity: true });

/** @throws PlimsollError `invalid_argument` with the line */
export function readPairs(text: string, path: string): CachePair[] {
  const pairs: CachePair[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const where = `${path}:${index + 1}`;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      throw new PlimsollError('invalid_argument', `${where} is not JSON; a line reads {"a":"…","b":"…","same":true}`);
    }
    const parsed = LabelledPair.safeParse(value);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      throw new PlimsollError(
        'invalid_argument',
        `${where}: ${issue?.path.join('.') || 'line'}: ${issue?.message}; a line reads {"a":"…","b":"…","same":true}`,
      );
    }
    pairs.push(parsed.data);
  }
  return pairs;
}

function cells({
  served,
  falseHits,
  falseHitRatio,
  falseHitInterval,
  differentServedRatio,
  differentServedInterval,
  sameServedRatio,
}: CheckMeasure): string[] {
  return [
    formatCount(served),
    formatCount(falseHits),
    formatRate(falseHitRatio === null ? null : 1 - falseHitRatio, falseHitInterval && [1 - falseHitInterval[1], 1 - falseHitInterval[0]]),
    formatRate(differentServedRatio, differentServedInterval),
    sameServedRatio === null ? '–' : `${(sameServedRatio * 100).toFixed(1)} %`,
  ];
}

/** Where a model compares the questions of the feature, it is asked through the gateway, as it is for calls. */
async function compare(
  pairs: CachePair[],
  options: { readonly feature: string; readonly gateway?: string | undefined },
  output: CommandOutput,
  { client, environment }: CliContext,
): Promise<CachePair[]> {
  const { features } = await client.call<CacheView>('GET', '/api/v1/cache');
  const model = features.find(({ feature }) => feature === options.feature)?.embeddingModel ?? null;
  if (model === null) return pairs;
  const virtualKey = environment.variables.PLIMSOLL_VIRTUAL_KEY;
  if (!virtualKey)
    throw new PlimsollError(
      'invalid_argument',
      `Questions of "${options.feature}" are compared by "${model}"; set PLIMSOLL_VIRTUAL_KEY to a key that may call it. What it costs is that key's.`,
    );
  const url = (options.gateway ?? client.baseUrl).replace(/\/+$/, '');
  const compared = await withSimilarity(pairs, { url, virtualKey, model }, (done, all) =>
    output.progress(`${done} of ${all} questions have a vector`),
  );
  output.progress('');
  return compared;
}

export default defineCommand<CliContext>()({
  name: 'cache check',
  summary: 'Measure on your own labelled pairs whether a semantic cache is safe for a feature; without a passed check it is refused',
  example: 'plimsoll cache check customer-support --pairs pairs.jsonl',
  options: z.strictObject({
    feature: z.string().describe('Feature that the pairs are from'),
    pairs: z.string().describe('JSON lines {"a":"…","b":"…","same":true}; same = one answer fits both questions'),
    gateway: z
      .string()
      .optional()
      .describe('URL of a gateway, where a model compares the questions and PLIMSOLL_URL is not one; called with PLIMSOLL_VIRTUAL_KEY'),
  }),
  positionals: ['feature'],
  exitCodes: { 0: 'safe', [EXIT_NOT_SAFE]: 'not shown to be safe' },
  async run({ options, output, context }) {
    let text: string;
    try {
      text = readFileSync(options.pairs, 'utf8');
    } catch (cause) {
      throw new PlimsollError('invalid_argument', `Cannot read ${options.pairs}: ${(cause as Error).message}`, { cause });
    }
    const pairs = await compare(readPairs(text, options.pairs), options, output, context);
    const report = await context.client.call<CacheCheckReport>('POST', '/api/v1/cache/checks', {
      body: { feature: options.feature, pairs },
    });
    const titles = [
      'hits',
      'false hits',
      'precision (95 % interval)',
      'different pairs served (95 % interval)',
      'same served',
      'similarity alone: false hits',
    ];
    const rows = report.rows
      .filter(({ threshold }) => SHOWN.has(threshold) || threshold === report.recommendedThreshold)
      .map(({ threshold, withGuards, alone }) => [
        `${threshold}${threshold === report.recommendedThreshold ? ' ◀' : ''}`,
        ...cells(withGuards),
        `${alone.falseHits} of ${alone.served}`,
      ]);
    output.print(
      `${report.same} pairs labelled same, ${report.different} labelled different, compared by ${report.embedder}\n\n${renderTable(
        [{ title: 'threshold' }, ...titles.map((title) => ({ title, isNumber: true }))],
        rows,
      )}\n\nVerdict: ${report.verdict}. ${report.reason}${report.recommendedThreshold === null ? '' : `\nRecommended: features.${report.feature}.cache.semantic.threshold: ${report.recommendedThreshold} or higher`}`,
      report,
    );
    return report.verdict === 'safe' ? 0 : EXIT_NOT_SAFE;
  },
});
