import { createHash } from 'node:crypto';
import { ledgerRowFromCall } from '../../src/costs/ledger-row.ts';
import type { LedgerRow } from '../../src/costs/store.ts';
import { NO_USAGE } from '../../src/models/usage.ts';
import type { CallAttempt, CallPayload, CallSettled } from '../../src/traces/call-record.ts';
import { spansFromCall } from '../../src/traces/from-call.ts';
import type { SpanIoRow, SpanRow } from '../../src/traces/store.ts';

/** Deterministic hex from a seed, so that a batch can be built twice and be the same batch. */
export function hex(seed: string, digits: number): string {
  return createHash('sha256').update(seed).digest('hex').slice(0, digits);
}

export function sampleAttempt(seed: string, changes: Partial<CallAttempt> = {}): CallAttempt {
  return {
    spanId: hex(`attempt ${seed}`, 16),
    model: 'mini',
    provider: 'openai',
    providerKind: 'openai',
    requestModel: 'gpt-5-mini',
    responseModel: 'gpt-5-mini-2026-01-01',
    responseId: `chatcmpl-${hex(seed, 12)}`,
    startOffsetMs: 2,
    durationMs: 400,
    ttftMs: 100,
    status: 'ok',
    httpStatus: 200,
    errorType: null,
    errorMessage: null,
    finishReasons: ['stop'],
    usage: { ...NO_USAGE, inputUncachedTokens: 100, outputTextTokens: 50 },
    usageSource: 'reported',
    providerUsage: '{"prompt_tokens":100,"completion_tokens":50}',
    costPicoUsd: '45000000',
    costStatus: 'priced',
    priceId: 'gpt-5-mini/2026-01-01',
    ...changes,
  };
}

/** A settled call that went well; change what a case is about. */
export function sampleCall(seed: string, startedAtMs: number, changes: Partial<CallSettled> = {}): CallSettled {
  return {
    callId: `0192${hex(`call ${seed}`, 28)}`,
    traceId: hex(`trace ${seed}`, 32),
    spanId: hex(`span ${seed}`, 16),
    parentSpanId: null,
    organisationId: 'default',
    environment: 'production',
    operation: 'chat',
    feature: 'customer-support',
    team: 'support',
    user: 'u-1',
    session: 's-1',
    customer: null,
    tags: {},
    keyId: 'key-1',
    requestedModel: 'default',
    route: 'default',
    isStream: true,
    startedAtMs,
    snapshotEpoch: 1,
    estimatedInputTokens: 90,
    firstTarget: { model: 'mini', provider: 'openai', upstreamModel: 'gpt-5-mini' },
    isSimulated: false,
    status: 'ok',
    httpStatus: 200,
    errorType: null,
    errorMessage: null,
    durationMs: 410,
    ttftMs: 110,
    interTokenMs: { count: 49, meanMs: 6, maxMs: 20 },
    attempts: [sampleAttempt(seed)],
    stages: [
      { name: 'authenticate', startOffsetMs: 0, durationMs: 0.2, status: 'ok' },
      { name: 'admit', startOffsetMs: 0.2, durationMs: 0.1, status: 'ok' },
      { name: 'route', startOffsetMs: 0.3, durationMs: 0.1, status: 'ok' },
      { name: 'infer', startOffsetMs: 0.5, durationMs: 408, status: 'ok' },
      { name: 'settle', startOffsetMs: 409, durationMs: 0.4, status: 'ok' },
    ],
    costPicoUsd: '45000000',
    costStatus: 'priced',
    requestParameters: { temperature: 0.2, max_tokens: 500 },
    isRecovered: false,
    ...changes,
  };
}

export function samplePayload(call: CallSettled, question: string, answer: string): CallPayload {
  return {
    callId: call.callId,
    traceId: call.traceId,
    spanId: call.spanId,
    organisationId: call.organisationId,
    environment: call.environment,
    startedAtMs: call.startedAtMs,
    policy: 'full',
    input: JSON.stringify({
      model: call.requestedModel,
      messages: [
        { role: 'system', content: 'Be kind.' },
        { role: 'user', content: question },
      ],
    }),
    output: JSON.stringify([{ role: 'assistant', content: answer }]),
    isTruncated: false,
  };
}

/** A batch of the ingest, from calls and the payloads that came with them. */
export function batchOf(
  token: string,
  calls: readonly { readonly call: CallSettled; readonly payload?: CallPayload }[],
): { token: string; spans: SpanRow[]; io: SpanIoRow[]; ledger: LedgerRow[] } {
  const rows = calls.map(({ call, payload }) => spansFromCall(call, payload ?? null));
  return {
    token,
    spans: rows.flatMap((row) => row.spans),
    io: rows.flatMap((row) => row.io),
    ledger: calls.map(({ call }) => ledgerRowFromCall(call)),
  };
}
