import { createWriteStream, existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { type CommandOutput, defineCommand } from '../../kernel/commands.ts';
import { dayText, parseDay } from '../../kernel/config/day.ts';
import { PlimsollError } from '../../kernel/errors.ts';
import { EXPORT_FORMATS, type ExportFormat } from '../../traces/export/export-file.ts';
import { TraceStatus } from '../../traces/model.ts';
import type { CliContext } from '../cli.ts';
import { countOf, formatBytes, parsePeriod } from '../format.ts';

const PROGRESS_EVERY_BYTES = 1024 * 1024;
const LINE_END = 0x0a;
const NOUNS = { jsonl: 'span', otlp: 'request', parquet: null } as const satisfies Record<ExportFormat, string | null>;

export default defineCommand<CliContext>()({
  name: 'traces export',
  summary: 'Export spans with their texts as JSON Lines, Parquet or OTLP',
  example: 'plimsoll traces export --feature customer-support --last 7d --format parquet --output support.parquet',
  options: z.strictObject({
    format: z.enum(EXPORT_FORMATS).default('jsonl').describe('jsonl: a line a span; parquet; otlp: an OTLP/JSON request a line'),
    output: z.string().min(1).optional().describe('File to write, once all of it has come; standard output when absent'),
    force: z.boolean().default(false).describe('Replaces the file when it is there'),
    limit: z.coerce.number().int().min(1).optional().describe('Newest traces, at most; all that match when absent'),
    last: z.string().default('24h').describe('Period up to now: 30m, 24h, 7d …; not with --from'),
    from: dayText('First day or moment').optional().describe('First day or moment, UTC'),
    to: dayText('End').optional().describe('End, exclusive; now when absent'),
    feature: z.string().optional().describe('Only this feature'),
    team: z.string().optional().describe('Only this team'),
    user: z.string().optional().describe('Only this user'),
    session: z.string().optional().describe('Only this session'),
    customer: z.string().optional().describe('Only this customer'),
    model: z.string().optional().describe('Only this model'),
    provider: z.string().optional().describe('Only this provider'),
    route: z.string().optional().describe('Only this route'),
    status: TraceStatus.optional().describe('ok, error or aborted'),
    errorType: z.string().optional().describe('Only this error code'),
    traceId: z.string().optional().describe('Only this trace'),
    attribute: z.string().optional().describe('name=value of an attribute of any span of the trace'),
    q: z.string().optional().describe('Words, and "phrases", that all occur in what is new in a prompt or in its answer'),
    minDurationMs: z.coerce.number().nonnegative().optional().describe('Only traces that took so long'),
    minCostUsd: z.coerce.number().nonnegative().optional().describe('Only traces that cost so much'),
  }),
  async run({ options, output, context, signal }) {
    const { output: file, force, last, from, to, format, ...filter } = options;
    if (file !== undefined && existsSync(file) && !force)
      throw new PlimsollError('conflict', `${file} is there already; --force replaces it`, { details: { file } });
    if (file === undefined && format === 'parquet' && process.stdout.isTTY === true)
      throw new PlimsollError('invalid_argument', 'Parquet is no text for a terminal: give --output, or redirect it');
    const period = {
      from: from === undefined ? Date.now() - parsePeriod(last) : parseDay(from),
      ...(to === undefined ? {} : { to: parseDay(to) }),
    };
    const { source } = await context.client.file('/api/v1/traces/export', { ...filter, ...period, format });
    const seen = { bytes: 0, lines: 0 };
    const counted = counting(seen, () => output.progress(`${describeSeen(seen, format)} …`));
    if (file === undefined) {
      await finish(() => pipeline(source, counted, process.stdout, { signal, end: false }), seen);
      tell(output, `${describeSeen(seen, format)}.`);
      return 0;
    }
    const part = `${file}.part`;
    try {
      await finish(() => pipeline(source, counted, createWriteStream(part), { signal }), seen);
      await rename(part, file);
    } finally {
      await rm(part, { force: true });
    }
    output.print(`${file}: ${describeSeen(seen, format)}.`, {
      file,
      format,
      bytes: seen.bytes,
      ...(format === 'parquet' ? {} : { lines: seen.lines }),
    });
    return 0;
  },
});

interface Seen {
  bytes: number;
  lines: number;
}

function describeSeen({ bytes, lines }: Seen, format: ExportFormat): string {
  const noun = NOUNS[format];
  return noun === null ? formatBytes(bytes) : `${countOf(lines, noun)}, ${formatBytes(bytes)}`;
}

function counting(seen: Seen, onProgress: () => void): Transform {
  let told = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      seen.bytes += chunk.length;
      for (let at = chunk.indexOf(LINE_END); at >= 0; at = chunk.indexOf(LINE_END, at + 1)) seen.lines += 1;
      if (seen.bytes - told >= PROGRESS_EVERY_BYTES) {
        told = seen.bytes;
        onProgress();
      }
      done(null, chunk);
    },
  });
}

/** @throws PlimsollError that says that what came is not all */
async function finish(work: () => Promise<void>, seen: Seen): Promise<void> {
  try {
    await work();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException; // of streams and files; others have none
    // Whoever reads has enough.
    if (code === 'EPIPE') return;
    if (code === 'ABORT_ERR')
      throw new PlimsollError('conflict', `Stopped after ${formatBytes(seen.bytes)}; nothing of it is kept`, { cause });
    if (code === 'ENOSPC' || code === 'EACCES' || code === 'ENOENT' || code === 'EISDIR')
      throw new PlimsollError('invalid_argument', `The file cannot be written: ${(cause as Error).message}`, { cause });
    throw new PlimsollError(
      'store_unavailable',
      `The export broke off after ${formatBytes(seen.bytes)}: the trace store failed or the connection was cut, and what came is not all. Control's log says why`,
      { cause },
    );
  }
}

function tell(output: CommandOutput, text: string): void {
  output.progress('');
  output.note(text);
}
