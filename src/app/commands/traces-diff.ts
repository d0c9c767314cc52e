import { z } from 'zod';
import { defineCommand } from '../../kernel/commands.ts';
import { formatUsd } from '../../kernel/money.ts';
import type { AlignedSpan, TextsDiff, TraceDiff } from '../../traces/compare/model.ts';
import type { DiffRow, Pieces, TextDiff } from '../../traces/compare/text-diff.ts';
import type { CliContext } from '../cli.ts';
import { countOf, formatCount, formatMs, formatTime } from '../format.ts';
import { renderTable } from '../terminal.ts';

/** Lines of the table of spans; the rest is in --json and on the page. */
const SHOWN_SPANS = 60;
/** Lines around a change that are shown for orientation. */
const CONTEXT_LINES = 2;
const RED = '\x1b[31m';
const GREEN = '\x1b[32m';
const PLAIN = '\x1b[0m';

const usd = (pico: string): string => `$${formatUsd(BigInt(pico))}`;

function signed<T>(value: T, isNegative: boolean, text: (size: T) => string, negate: (value: T) => T): string {
  return isNegative ? `−${text(negate(value))}` : `+${text(value)}`;
}

function msDifference(value: number | null): string {
  if (value === null) return 'not known';
  return value === 0 ? '0' : signed(value, value < 0, formatMs, (size) => -size);
}

function costDifference(value: string | null): string {
  if (value === null) return 'not known';
  const pico = BigInt(value);
  return pico === 0n
    ? '0'
    : signed(
        pico,
        pico < 0n,
        (size) => usd(size.toString()),
        (size) => -size,
      );
}

function countCells(name: string, { a, b, difference }: TraceDiff['numbers']['requests']): string[] {
  const text = (value: number | null): string => (value === null ? 'not known' : formatCount(value));
  const changed =
    difference === null ? 'not known' : difference === 0 ? '0' : signed(difference, difference < 0, formatCount, (size) => -size);
  return [name, text(a), text(b), changed];
}

function numbersText({ numbers }: TraceDiff): string {
  const { durationMs, ttftMs, costPicoUsd, tokens } = numbers;
  const cost = (value: string | null): string => (value === null ? 'unpriced' : usd(value));
  const rows = [
    ['duration', formatMs(durationMs.a), formatMs(durationMs.b), msDifference(durationMs.difference)],
    ['first token', formatMs(ttftMs.a), formatMs(ttftMs.b), msDifference(ttftMs.difference)],
    ['cost', cost(costPicoUsd.a), cost(costPicoUsd.b), costDifference(costPicoUsd.difference)],
    countCells('input tokens', numbers.inputTokens),
    countCells('output tokens', numbers.outputTokens),
    ...(tokens ?? []).map(({ usageClass, ...count }) => countCells(`  ${usageClass}`, count)),
    countCells('requests', numbers.requests),
    countCells('provider calls', numbers.attempts),
    countCells('spans', numbers.spans),
  ];
  const columns = [{ title: '' }, ...['A', 'B', 'B − A'].map((title) => ({ title, isNumber: true }))];
  const remark = tokens === null ? '\nClasses of tokens: not known for every request.' : '';
  return `${renderTable(columns, rows)}${remark}`;
}

const MARKS: Readonly<Record<AlignedSpan['change'], string>> = { both: ' ', added: '+', removed: '-' };

function spanCells({ change, depth, a, b, durationDifferenceMs, costDifferencePicoUsd }: AlignedSpan): string[] {
  const name = a === null ? (b?.name ?? '') : b === null || a.name === b.name ? a.name : `${a.name} → ${b.name}`;
  return [
    MARKS[change],
    `${'  '.repeat(Math.min(depth, 12))}${name}`,
    a === null ? '' : formatMs(a.durationMs),
    b === null ? '' : formatMs(b.durationMs),
    durationDifferenceMs === null ? '' : msDifference(durationDifferenceMs),
    costDifferencePicoUsd === null ? '' : costDifference(costDifferencePicoUsd),
  ];
}

function spansText({ spans, counts, isPartial }: TraceDiff): string {
  const columns = [{ title: '' }, { title: 'span' }, ...['A', 'B', 'B − A', 'cost'].map((title) => ({ title, isNumber: true }))];
  const more = spans.length > SHOWN_SPANS ? `\n… and ${formatCount(spans.length - SHOWN_SPANS)} more (--json has all)` : '';
  const partial = isPartial ? ' Only the first 10,000 spans of a trace are aligned.' : '';
  return `${renderTable(columns, spans.slice(0, SHOWN_SPANS).map(spanCells))}${more}\n${countOf(counts.both, 'span')} in both, ${formatCount(counts.added)} added, ${formatCount(counts.removed)} removed.${partial}`;
}

/** Texts are of others: what would steer the terminal is shown as a sign. */
function plain(pieces: Pieces | null): string {
  return (pieces ?? [])
    .map(({ text }) => text)
    .join('')
    .replace(/\p{Cc}/gu, (character) => (character === '\t' ? character : '␦'));
}

/** As `diff -u` writes it: what changed, and a few lines around it. */
function textLines(diff: TextDiff, isColour: boolean): string[] {
  const paint = (colour: string, text: string): string => (isColour ? `${colour}${text}${PLAIN}` : text);
  const isNear = (place: number): boolean =>
    diff.rows.slice(Math.max(0, place - CONTEXT_LINES), place + CONTEXT_LINES + 1).some(({ kind }) => kind !== 'same');
  const lines: string[] = [];
  let left = 0;
  const skip = (): void => {
    if (left > 0) lines.push(`  … ${countOf(left, 'line')} the same`);
    left = 0;
  };
  diff.rows.forEach((row: DiffRow, place) => {
    if (row.kind === 'same' && !isNear(place)) left += 1;
    else {
      skip();
      if (row.kind === 'same') lines.push(`  ${plain(row.a)}`);
      if (row.kind === 'removed' || row.kind === 'changed') lines.push(paint(RED, `- ${plain(row.a)}`));
      if (row.kind === 'added' || row.kind === 'changed') lines.push(paint(GREEN, `+ ${plain(row.b)}`));
    }
  });
  skip();
  return lines;
}

function textsText(texts: TextsDiff, isColour: boolean): string {
  return (['input', 'output'] as const)
    .map((direction) => {
      const diff = texts[direction];
      if (diff === null) return `${direction}: not recorded in either trace`;
      const without = (['a', 'b'] as const).filter((side) => texts.missing[side].includes(direction));
      const remark =
        without.length > 0
          ? ` (not recorded in ${without.join(', ').toUpperCase()})`
          : diff.isCut
            ? ' (long; its end was not compared)'
            : '';
      if (diff.addedLines + diff.removedLines === 0) return `${direction}: the same${remark}`;
      return [
        `${direction}: ${countOf(diff.removedLines, 'line')} out, ${formatCount(diff.addedLines)} in${remark}`,
        ...textLines(diff, isColour),
      ].join('\n');
    })
    .join('\n\n');
}

const traceId = z.string().regex(/^[0-9a-f]{32}$/, 'a trace id has 32 hex digits');

export default defineCommand<CliContext>()({
  name: 'traces diff',
  summary: 'Two traces side by side: numbers, spans and messages, and what differs',
  example: 'plimsoll traces diff 4bf92f3577b34da6a3ce929d0e0e4736 0af7651916cd43dd8448eb211c80319c',
  options: z.strictObject({
    a: traceId.describe('Trace id'),
    b: traceId.describe('Trace id of the other; every difference is B − A'),
  }),
  positionals: ['a', 'b'],
  async run({ options: { a, b }, output, context }) {
    const diff = await context.client.call<TraceDiff>('GET', `/api/v1/traces/${a}/diff/${b}`);
    const { entries } = diff;
    const texts =
      entries.a === null || entries.b === null
        ? null
        : await context.client.call<TextsDiff>('GET', `/api/v1/traces/${a}/spans/${entries.a}/texts/diff/${b}/${entries.b}`);
    const head = (['a', 'b'] as const).map((side) => {
      const { traceId, startedAt, feature, status, models } = diff[side];
      return `${side.toUpperCase()}  ${traceId}  ${formatTime(startedAt)}  ${feature}  ${status}  ${models.join(' → ')}`;
    });
    const parts = [head.join('\n'), numbersText(diff), spansText(diff), ...(texts === null ? [] : [textsText(texts, output.isColour)])];
    output.print(parts.join('\n\n'), { ...diff, texts });
    return 0;
  },
});
