import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Scope } from '../../kernel/scope.ts';
import type { TraceQuery } from '../model.ts';
import { type ExportedSpan, jsonLine } from './columns.ts';
import { otlpExportRequest } from './otlp-request.ts';

export const EXPORT_FORMATS = ['jsonl', 'parquet', 'otlp'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export interface SpanExport {
  /**
   * The spans, with their texts, of the traces that match, newest trace first, in pieces. `query.limit` bounds the traces.
   * @throws PlimsollError as `TraceStore.listTraces`, in the middle too
   */
  spans(scope: Scope, query: TraceQuery, signal: AbortSignal): AsyncIterable<readonly ExportedSpan[]>;
  /** A Parquet file of them. @param id hex digits that nobody else uses */
  parquet(id: string, spans: AsyncIterable<readonly ExportedSpan[]>, signal: AbortSignal): Promise<Readable>;
}

/** Characters of texts in one OTLP request: receivers take some megabytes, ours 16 MiB. */
const REQUEST_CHARACTERS = 2_000_000;

function sizeOf({ input, output }: ExportedSpan): number {
  return (input?.length ?? 0) + (output?.length ?? 0);
}

/** A line is one span, or one OTLP request. Half a surrogate pair cannot be told in UTF-8. */
async function* linesOf(spans: AsyncIterable<readonly ExportedSpan[]>, format: 'jsonl' | 'otlp'): AsyncGenerator<string> {
  for await (const page of spans) {
    let piece: ExportedSpan[] = [];
    let characters = 0;
    for (const [place, span] of page.entries()) {
      piece.push(span);
      characters += sizeOf(span);
      if (characters < REQUEST_CHARACTERS && place < page.length - 1) continue;
      const lines = format === 'jsonl' ? piece.map(jsonLine) : [JSON.stringify(otlpExportRequest(piece))];
      yield `${lines.join('\n')}\n`.toWellFormed();
      piece = [];
      characters = 0;
    }
  }
}

/** The first piece is there before the file is: an export that cannot begin says why instead of ending at once. */
async function begun<T>(pieces: AsyncGenerator<T>): Promise<AsyncGenerator<T>> {
  const first = await pieces.next();
  return (async function* () {
    try {
      if (first.done !== true) yield first.value;
      yield* pieces;
    } finally {
      // Also of a reader that leaves at the first piece.
      await pieces.return(undefined);
    }
  })();
}

/**
 * An export as a stream that reads no faster than it is read from. Whoever destroys it stops the query; a store that fails in the middle fails the
 * stream.
 * @throws PlimsollError when it cannot begin
 */
export async function exportFile(store: SpanExport, scope: Scope, query: TraceQuery, format: ExportFormat): Promise<Readable> {
  const left = new AbortController();
  const spans = store.spans(scope, query, left.signal);
  const file =
    format === 'parquet'
      ? await store.parquet(randomBytes(8).toString('hex'), spans, left.signal)
      : Readable.from(await begun(linesOf(spans, format)), { objectMode: false });
  file.once('close', () => left.abort());
  return file;
}
