import { z } from 'zod';
import { PlimsollError } from '../../kernel/errors.ts';
import { defineRoute, type Route } from '../../kernel/routes.ts';
import type { Scope } from '../../kernel/scope.ts';
import type { TraceDetail } from '../model.ts';
import type { TraceServices } from '../routes.ts';
import type { TraceStore } from '../store.ts';
import { compareTexts, compareTraces } from './compare-traces.ts';
import { TextsDiff, TraceDiff } from './model.ts';

const route = defineRoute<TraceServices>();
const traceId = z.string().regex(/^[0-9a-fA-F]{32}$/, 'A trace id has 32 hexadecimal digits');
const spanId = z.string().regex(/^[0-9a-fA-F]{16}$/, 'A span id has 16 hexadecimal digits');

async function find(traces: TraceStore, scope: Scope, id: string): Promise<TraceDetail> {
  const found = await traces.getTrace(scope, id.toLowerCase(), 'of_small_traces');
  if (found === null)
    throw new PlimsollError('not_found', `There is no trace ${id}. A call that has just ended takes up to 2 s to appear.`, {
      details: { traceId: id },
    });
  return found;
}

export const compareRoutes: readonly Route<TraceServices>[] = [
  route({
    method: 'GET',
    path: '/api/v1/traces/:traceId/diff/:otherId',
    summary: 'Two traces side by side: numbers with exact differences, and spans aligned by their place in the tree',
    permission: 'traces:read',
    params: z.strictObject({ traceId, otherId: traceId }),
    response: TraceDiff,
    async handler({ scope, params, services }) {
      const [a, b] = await Promise.all([find(services.traces, scope, params.traceId), find(services.traces, scope, params.otherId)]);
      return compareTraces(a, b);
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/traces/:traceId/spans/:spanId/texts/diff/:otherId/:otherSpanId',
    summary: 'Input and output of two spans, line by line and word by word',
    permission: 'traces:read',
    params: z.strictObject({ traceId, spanId, otherId: traceId, otherSpanId: spanId }),
    response: TextsDiff,
    async handler({ scope, params, services }) {
      const [a, b] = await Promise.all([
        services.traces.spanTexts(scope, params.traceId.toLowerCase(), params.spanId.toLowerCase()),
        services.traces.spanTexts(scope, params.otherId.toLowerCase(), params.otherSpanId.toLowerCase()),
      ]);
      return compareTexts(a, b);
    },
  }),
];
