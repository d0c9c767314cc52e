import { inputTokens, outputTokens } from '../models/usage.ts';
import type { CallSettled } from '../traces/call-record.ts';
import { totalUsage } from '../traces/from-call.ts';
import type { LedgerRow } from './store.ts';

/** The account of one settled call. Pure: the same record gives the same row. */
export function ledgerRowFromCall(call: CallSettled): LedgerRow {
  const { usage } = totalUsage(call.attempts);
  const { cache } = call;
  // An answer from the cache used no tokens; without one nothing is known of a call that has no attempts.
  const isCached = call.costStatus === 'cached_zero';
  return {
    organisationId: call.organisationId,
    environment: call.environment,
    callId: call.callId,
    traceId: call.traceId,
    startedAtMs: call.startedAtMs,
    feature: call.feature,
    team: call.team,
    user: call.user,
    session: call.session,
    customer: call.customer,
    tags: call.tags,
    keyId: call.keyId,
    requestedModel: call.requestedModel,
    operation: call.operation,
    route: call.route,
    status: call.status,
    errorType: call.errorType,
    inputTokens: isCached ? 0 : usage && inputTokens(usage),
    outputTokens: isCached ? 0 : usage && outputTokens(usage),
    costPicoUsd: call.costPicoUsd === null ? null : BigInt(call.costPicoUsd),
    costStatus: call.costStatus,
    attempts: call.attempts.map((attempt) => ({
      spanId: attempt.spanId,
      provider: attempt.provider,
      model: attempt.model,
      requestModel: attempt.requestModel,
      responseModel: attempt.responseModel,
      status: attempt.status,
      errorType: attempt.errorType,
      usage: attempt.usage,
      usageSource: attempt.usageSource,
      ...(attempt.units === undefined ? {} : { units: attempt.units }),
      providerUsage: attempt.providerUsage,
      costPicoUsd: attempt.costPicoUsd === null ? null : BigInt(attempt.costPicoUsd),
      costStatus: attempt.costStatus,
      priceId: attempt.priceId,
      ...(attempt.serviceTier === undefined ? {} : { serviceTier: attempt.serviceTier }),
    })),
    isSimulated: call.isSimulated,
    isRecovered: call.isRecovered,
    cacheOutcome: cache?.outcome ?? null,
    savedPicoUsd: cache?.savedPicoUsd == null ? null : BigInt(cache.savedPicoUsd),
    savedInputTokens: cache?.savedInputTokens ?? null,
    savedOutputTokens: cache?.savedOutputTokens ?? null,
  };
}
