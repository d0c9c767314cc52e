import { z } from 'zod';
import type { Clock } from '../../kernel/clock.ts';
import { defineRoute, FileAnswer } from '../../kernel/routes.ts';
import { TraceQuery } from '../model.ts';
import { EXPORT_FORMATS, type ExportFormat, exportFile, type SpanExport } from './export-file.ts';

export interface SpanExportServices {
  readonly spanExport: SpanExport;
  readonly clock: Clock;
}

const TYPES = {
  jsonl: 'application/x-ndjson; charset=utf-8',
  parquet: 'application/vnd.apache.parquet',
  otlp: 'application/x-ndjson; charset=utf-8',
} as const satisfies Record<ExportFormat, string>;
const EXTENSIONS = { jsonl: 'jsonl', parquet: 'parquet', otlp: 'otlp.jsonl' } as const satisfies Record<ExportFormat, string>;

const MAX_TRACES = 10_000_000;

const route = defineRoute<SpanExportServices>();

export const spanExportRoutes = [
  route({
    method: 'GET',
    path: '/api/v1/traces/export',
    summary: 'Export the spans of the traces that match, with their texts: a line or row a span (JSON Lines, Parquet), or OTLP requests',
    permission: 'traces:read',
    query: TraceQuery.omit({ cursor: true, limit: true }).extend({
      format: z
        .enum(EXPORT_FORMATS)
        .default('jsonl')
        .describe(
          'jsonl: a line a span; parquet: the same as columns; otlp: an ExportTraceServiceRequest a line, as OpenTelemetry collectors read them',
        ),
      limit: z.coerce.number().int().min(1).max(MAX_TRACES).optional().describe('Newest traces, at most; all that match when absent'),
    }),
    fileTypes: ['application/x-ndjson', 'application/vnd.apache.parquet'],
    response: z.string().describe('The file as it is read. One that could not be finished ends in a broken connection'),
    async handler({ scope, query: { format, limit, ...filter }, services }) {
      const nowMs = services.clock.nowMs();
      // What comes in from now on would move the pages.
      const query = { ...filter, to: filter.to ?? nowMs, limit: limit ?? MAX_TRACES };
      const source = await exportFile(services.spanExport, scope, query, format);
      const stamp = new Date(nowMs).toISOString().slice(0, 19).replaceAll(':', '');
      return new FileAnswer(TYPES[format], `traces-${stamp}.${EXTENSIONS[format]}`, source);
    },
  }),
];
