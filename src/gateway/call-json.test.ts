import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseJsonText } from '../kernel/parse-json.ts';
import type { CallAttempt, CallOpened, CallStage } from '../traces/call-record.ts';
import type { CallOutcome } from './call.ts';
import { openedJson, outcomeMembers } from './call-json.ts';

const text = fc.oneof(fc.string({ maxLength: 20 }), fc.string({ unit: 'grapheme', maxLength: 20 }), fc.constant('a "quoted" \\ \n\u2028'));
const textOrNull = fc.option(text);
const count = fc.nat(1_000_000);
const ms = fc.nat(100_000_000).map((value) => value / 1000);

const clientCall: fc.Arbitrary<CallOpened> = fc.record({
  callId: fc.uuid(),
  traceId: fc.constant('0af7651916cd43dd8448eb211c80319c'),
  spanId: fc.constant('b7ad6b7169203331'),
  parentSpanId: fc.constantFrom(null, '00f067aa0ba902b7'),
  organisationId: text,
  environment: text,
  operation: fc.constant('chat' as const),
  feature: text,
  team: textOrNull,
  user: textOrNull,
  session: textOrNull,
  customer: textOrNull,
  tags: fc.dictionary(text, text, { maxKeys: 3, noNullPrototype: true }),
  keyId: text,
  requestedModel: text,
  route: textOrNull,
  isStream: fc.boolean(),
  startedAtMs: count,
  snapshotEpoch: count,
  estimatedInputTokens: count,
  reservedOutputTokens: count,
  firstTarget: fc.option(fc.record({ model: text, provider: text, upstreamModel: text })),
  isSimulated: fc.boolean(),
});

const opened: fc.Arbitrary<CallOpened> = clientCall.chain((base) =>
  fc.constantFrom<CallOpened>(
    base,
    { ...base, purpose: 'shadow', parentCallId: base.callId },
    { ...base, purpose: 'probe' },
    { ...base, endpoint: '/v1beta/models/a "b":generateContent' },
  ),
);

const ROUTING = {
  strategy: 'complexity',
  reason: 'complexity "simple"; without b (unhealthy)',
  tier: 'simple',
  probabilities: { simple: 0.9, medium: 0.1, complex: 0 },
  candidates: ['a', 'c'],
  counterfactualModel: 'c',
  estimatedSavingPicoUsd: '-3',
};

const RULES = { residency: 'region "eu"', excluded: [{ model: 'm', rule: 'in us' }] };

const VALIDATION = { verdict: 'invalid' as const, errors: ['/a "b"'], repaired: true };

const attempt: fc.Arbitrary<CallAttempt> = fc
  .record({
    spanId: fc.constant('b7ad6b7169203332'),
    model: text,
    provider: text,
    providerKind: text,
    requestModel: text,
    responseModel: textOrNull,
    responseId: textOrNull,
    startOffsetMs: ms,
    durationMs: ms,
    ttftMs: fc.option(ms),
    status: fc.constantFrom('ok', 'error', 'aborted'),
    httpStatus: fc.option(count),
    errorType: fc.constantFrom(null, 'provider_timeout'),
    errorMessage: textOrNull,
    finishReasons: fc.array(text, { maxLength: 3 }),
    usage: fc.option(
      fc.record({
        inputUncachedTokens: count,
        cacheReadTokens: count,
        cacheWrite5mTokens: count,
        cacheWrite1hTokens: count,
        audioInputTokens: count,
        outputTextTokens: count,
        reasoningTokens: count,
        audioOutputTokens: count,
      }),
    ),
    usageSource: fc.constantFrom(null, 'reported', 'estimated'),
    providerUsage: textOrNull,
    costPicoUsd: fc.constantFrom(null, '123456789012345678901234567890'),
    costStatus: fc.constantFrom('priced', 'estimated_tokens', 'unpriced'),
    priceId: textOrNull,
  })
  .chain((base) =>
    fc.constantFrom(
      base,
      { ...base, region: 'eu-"1' },
      { ...base, isSelfHosted: true },
      { ...base, isResent: true },
      { ...base, serviceTier: 'fl"ex', bookedPicoUsd: '123456789012345678901234567890' },
      { ...base, role: 'hedge' as const },
    ),
  );

const stage: fc.Arbitrary<CallStage> = fc.record({
  name: fc.constantFrom('authenticate', 'receive', 'admit', 'cache', 'route', 'infer', 'settle'),
  startOffsetMs: ms,
  durationMs: ms,
  status: fc.constantFrom('ok', 'error'),
});

const outcome: fc.Arbitrary<CallOutcome> = fc
  .record({
    status: fc.constantFrom('ok', 'error', 'aborted'),
    httpStatus: count,
    errorType: fc.constantFrom(null, 'client_closed'),
    errorMessage: textOrNull,
    durationMs: ms,
    ttftMs: fc.option(ms),
    interTokenMs: fc.option(fc.record({ count, meanMs: ms, maxMs: ms })),
    attempts: fc.array(attempt, { maxLength: 3 }),
    stages: fc.array(stage, { maxLength: 5 }),
    costPicoUsd: fc.constantFrom(null, '0', '42'),
    costStatus: fc.constantFrom('priced', 'estimated_tokens', 'unpriced', 'cached_zero'),
    isRecovered: fc.boolean(),
  })
  .chain((base) =>
    fc.constantFrom(
      base,
      { ...base, targetRules: RULES },
      { ...base, routing: ROUTING },
      { ...base, targetRules: RULES, outputValidation: VALIDATION },
    ),
  );

const cached: fc.Arbitrary<CallOutcome> = fc
  .tuple(outcome, text, textOrNull, attempt)
  .map(([out, reason, amount, { responseId, responseModel }]) => ({
    ...out,
    cache: {
      outcome: 'hit',
      reason,
      ageMs: 1,
      similarity: null,
      savedPicoUsd: amount,
      savedInputTokens: 3,
      savedOutputTokens: null,
      origin: { callId: reason, traceId: '', model: '', provider: '', requestModel: '', responseModel, responseId, finishReasons: [] },
    },
  }));

/** What JSON.stringify would have written: -0 becomes 0. */
function throughJson(value: unknown): unknown {
  return parseJsonText(JSON.stringify(value));
}

describe('JSON put together by hand', () => {
  it('says exactly what JSON.stringify would say', () => {
    fc.assert(
      fc.property(opened, fc.oneof(outcome, cached), (open, out) => {
        assert.deepEqual(parseJsonText(openedJson(open)), throughJson(open));
        assert.deepEqual(parseJsonText(`{${outcomeMembers(out)}}`), throughJson(out));
      }),
      { numRuns: 200 },
    );
  });
});
