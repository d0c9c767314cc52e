import { contentHash } from '../kernel/ids.ts';
import { parseJsonText } from '../kernel/parse-json.ts';
import { inputTokens, NO_USAGE, outputTokens, type Usage, type UsageClass } from '../models/usage.ts';
import { explainUsage } from '../models/usage-check.ts';
import type { CallAttempt, CallPayload, CallSettled, CallStage } from './call-record.ts';
import { readInput, readOutput } from './preview.ts';
import type { SpanIoRow, SpanRow } from './store.ts';

const NS_PER_MS = 1_000_000;

/** Whole milliseconds are kept exact: an epoch in ns is beyond what a double holds. */
function toNs(ms: number): bigint {
  const whole = Math.trunc(ms);
  return BigInt(whole) * BigInt(NS_PER_MS) + BigInt(Math.round((ms - whole) * NS_PER_MS));
}

/** Ids of stage spans are derived, so that the same record always gives the same rows. */
function stageSpanId(call: CallSettled, stage: CallStage['name']): string {
  return contentHash(`${call.spanId}/${stage}`).slice(0, 16);
}

/** The attempt that answered, else the last one; null when no provider was called. */
function decidingAttempt(call: CallSettled): CallAttempt | null {
  return call.attempts.find((attempt) => attempt.status === 'ok') ?? call.attempts.at(-1) ?? null;
}

/** Sum over the attempts whose usage is known; null when none is. */
export function totalUsage(attempts: readonly CallAttempt[]): { usage: Usage | null; source: 'reported' | 'estimated' | null } {
  let usage: Usage | null = null;
  let source: 'reported' | 'estimated' | null = null;
  for (const attempt of attempts) {
    if (attempt.usage === null) continue;
    const sum: Usage = { ...(usage ?? NO_USAGE) };
    for (const name of Object.keys(NO_USAGE) as UsageClass[]) sum[name] += attempt.usage[name]; // the keys of Usage, widened by Object.keys
    usage = sum;
    source = source === 'estimated' || attempt.usageSource === 'estimated' ? 'estimated' : 'reported';
  }
  return { usage, source };
}

function distinct(values: readonly (string | null | undefined)[]): string[] {
  return [...new Set(values.filter((value): value is string => typeof value === 'string' && value !== ''))];
}

/** OpenTelemetry names for sampling parameters that we may have been sent under OpenAI's or Anthropic's name. */
const PARAMETER_ATTRIBUTES: Readonly<Record<string, string>> = {
  temperature: 'gen_ai.request.temperature',
  top_p: 'gen_ai.request.top_p',
  top_k: 'gen_ai.request.top_k',
  max_tokens: 'gen_ai.request.max_tokens',
  max_completion_tokens: 'gen_ai.request.max_tokens',
  frequency_penalty: 'gen_ai.request.frequency_penalty',
  presence_penalty: 'gen_ai.request.presence_penalty',
  seed: 'gen_ai.request.seed',
  n: 'gen_ai.request.choice.count',
  stop: 'gen_ai.request.stop_sequences',
};

/** Drops what is not known: an attribute is present or absent, never null. */
function known(attributes: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== null && value !== undefined));
}

/** How the provider's counts were read, and what of them does not add up. */
function usageAttributes({ providerUsage, usage, usageSource, units }: CallAttempt): Record<string, unknown> {
  if (providerUsage === null || usage === null || usageSource !== 'reported') return {};
  let provided: unknown;
  try {
    provided = parseJsonText(providerUsage);
  } catch {
    return { 'plimsoll.usage.conflict': 'what the provider counted is no JSON' };
  }
  const { rule, conflict } = explainUsage(provided, usage, units?.inputImageTokens);
  return { 'plimsoll.usage.rule': rule, 'plimsoll.usage.conflict': conflict };
}

/** `gen_ai.*` in both generations of the conventions: `provider.name` and `system`, `input_tokens` and `prompt_tokens`. */
function genAiAttributes(call: CallSettled, attempt: CallAttempt): Record<string, unknown> {
  const { usage } = attempt;
  const parameters = Object.entries(call.requestParameters).map(([name, value]) => [
    PARAMETER_ATTRIBUTES[name] ?? `plimsoll.request.${name}`,
    value,
  ]);
  return known({
    'gen_ai.operation.name': call.operation,
    'gen_ai.provider.name': attempt.providerKind,
    'gen_ai.system': attempt.providerKind,
    'gen_ai.request.model': attempt.requestModel,
    'gen_ai.response.model': attempt.responseModel,
    'gen_ai.response.id': attempt.responseId,
    'gen_ai.response.finish_reasons': attempt.finishReasons.length > 0 ? attempt.finishReasons : null,
    'gen_ai.conversation.id': call.session,
    ...Object.fromEntries(parameters),
    'gen_ai.usage.input_tokens': usage && inputTokens(usage),
    'gen_ai.usage.prompt_tokens': usage && inputTokens(usage),
    'gen_ai.usage.output_tokens': usage && outputTokens(usage),
    'gen_ai.usage.completion_tokens': usage && outputTokens(usage),
    'gen_ai.usage.cache_read.input_tokens': usage?.cacheReadTokens,
    'gen_ai.usage.cache_creation.input_tokens': usage && usage.cacheWrite5mTokens + usage.cacheWrite1hTokens,
    'gen_ai.usage.reasoning.output_tokens': usage?.reasoningTokens,
    'error.type': attempt.errorType,
    'http.response.status_code': attempt.httpStatus,
    'plimsoll.provider': attempt.provider,
    'plimsoll.model': attempt.model,
    'plimsoll.target.region': attempt.region,
    'plimsoll.target.is_self_hosted': attempt.isSelfHosted,
    'plimsoll.usage.provided': attempt.providerUsage,
    'plimsoll.service_tier': attempt.serviceTier,
    ...usageAttributes(attempt),
    'plimsoll.attempt.role': attempt.role,
    'plimsoll.purpose': call.purpose,
    'plimsoll.attempt.is_resent': attempt.isResent,
  });
}

/** What all spans of a call share. */
function sharedColumns(call: CallSettled) {
  return {
    organisationId: call.organisationId,
    environment: call.environment,
    traceId: call.traceId,
    callId: call.callId,
    feature: call.feature,
    team: call.team,
    user: call.user,
    session: call.session,
    customer: call.customer,
    tags: call.tags,
    keyId: call.keyId,
    route: call.route,
    requestedModel: call.requestedModel,
    isStream: call.isStream,
    isSimulated: call.isSimulated,
    isRecovered: call.isRecovered,
  };
}

const NO_MODEL_COLUMNS = {
  provider: null,
  requestModel: null,
  responseModel: null,
  responseId: null,
  finishReasons: [],
  models: [],
  providers: [],
  modelNames: [],
  usage: null,
  usageSource: null,
  costPicoUsd: null,
  costStatus: null,
  priceId: null,
  ttftMs: null,
  interTokenMeanMs: null,
  interTokenMaxMs: null,
  attempts: 0,
  fallbackFrom: null,
  httpStatus: null,
} as const;

/** What the cache did, as attributes. */
function cacheAttributes({ cache }: CallSettled): Record<string, unknown> {
  if (cache === undefined) return {};
  return {
    'plimsoll.cache.outcome': cache.outcome,
    'plimsoll.cache.reason': cache.reason,
    'plimsoll.cache.age_ms': cache.ageMs,
    'plimsoll.cache.similarity': cache.similarity,
    'plimsoll.cache.saved_pico_usd': cache.savedPicoUsd,
    'plimsoll.cache.saved_input_tokens': cache.savedInputTokens,
    'plimsoll.cache.saved_output_tokens': cache.savedOutputTokens,
    'plimsoll.cache.origin_call_id': cache.origin?.callId,
    'plimsoll.cache.origin_trace_id': cache.origin?.traceId,
    'plimsoll.cache.origin_model': cache.origin?.model,
    'plimsoll.cache.origin_provider': cache.origin?.provider,
  };
}

/** `gpt: in us` for each target that a rule of the feature left out. */
function excludedTargets({ targetRules }: CallSettled): string[] | null {
  if (targetRules === undefined || targetRules.excluded.length === 0) return null;
  return targetRules.excluded.map(({ model, rule }) => `${model}: ${rule}`);
}

/** The decision of the route, as attributes of the call's own span. */
function routingAttributes({ routing }: CallSettled): Record<string, unknown> {
  if (routing === undefined) return {};
  return {
    'plimsoll.routing.strategy': routing.strategy,
    'plimsoll.routing.reason': routing.reason,
    'plimsoll.routing.tier': routing.tier,
    'plimsoll.routing.probabilities': routing.probabilities,
    'plimsoll.routing.candidates': routing.candidates,
    'plimsoll.routing.counterfactual_model': routing.counterfactualModel,
    'plimsoll.routing.estimated_saving_pico_usd': routing.estimatedSavingPicoUsd,
  };
}

function entrySpan(call: CallSettled): SpanRow {
  const deciding = decidingAttempt(call);
  // No provider was asked; the model is the one whose answer was given.
  const origin = deciding === null ? (call.cache?.origin ?? null) : null;
  const { usage, source } = totalUsage(call.attempts);
  const first = call.attempts[0];
  return {
    ...sharedColumns(call),
    spanId: call.spanId,
    parentSpanId: call.parentSpanId,
    // What the gateway did by itself is no request of anybody: it would distort every count of requests, errors and latencies.
    isEntry: call.purpose === undefined || call.purpose === 'probe',
    isRequest: call.purpose === undefined || call.purpose === 'probe',
    startedAtNs: toNs(call.startedAtMs),
    durationNs: toNs(call.durationMs),
    name: `${call.operation} ${call.requestedModel}`,
    kind: 'gateway',
    status: call.status,
    statusMessage: call.errorMessage ?? '',
    errorType: call.errorType,
    httpStatus: call.httpStatus,
    provider: deciding?.provider ?? null,
    requestModel: (deciding ?? origin)?.requestModel ?? null,
    responseModel: (deciding ?? origin)?.responseModel ?? null,
    responseId: (deciding ?? origin)?.responseId ?? null,
    finishReasons: (deciding ?? origin)?.finishReasons ?? [],
    models: distinct([...call.attempts, ...(origin === null ? [] : [origin])].map((answer) => answer.responseModel ?? answer.requestModel)),
    providers: distinct(call.attempts.map((attempt) => attempt.provider)),
    modelNames: distinct([
      call.requestedModel,
      ...[...call.attempts, ...(origin === null ? [] : [origin])].flatMap((answer) => [
        answer.model,
        answer.requestModel,
        answer.responseModel,
      ]),
    ]),
    usage,
    usageSource: source,
    costPicoUsd: call.costPicoUsd === null ? null : BigInt(call.costPicoUsd),
    costStatus: call.costStatus,
    priceId: deciding?.priceId ?? null,
    ttftMs: call.ttftMs,
    interTokenMeanMs: call.interTokenMs?.meanMs ?? null,
    interTokenMaxMs: call.interTokenMs?.maxMs ?? null,
    attempts: call.attempts.length,
    fallbackFrom: first && deciding && first !== deciding && first.errorType !== 'superseded' ? first.model : null,
    attributes: known({
      'gen_ai.operation.name': call.operation,
      'gen_ai.conversation.id': call.session,
      'url.path': call.endpoint,
      'http.response.status_code': call.httpStatus,
      'error.type': call.errorType,
      'plimsoll.snapshot.epoch': call.snapshotEpoch,
      'plimsoll.is_simulated': call.isSimulated ? true : null,
      'plimsoll.is_recovered': call.isRecovered ? true : null,
      'plimsoll.inter_token.count': call.interTokenMs?.count,
      ...cacheAttributes(call),
      'plimsoll.residency': call.targetRules?.residency,
      'plimsoll.targets.excluded': excludedTargets(call),
      'plimsoll.purpose': call.purpose,
      'plimsoll.parent_call.id': call.parentCallId,
      ...routingAttributes(call),
      'plimsoll.output.verdict': call.outputValidation?.verdict,
      'plimsoll.output.errors': call.outputValidation?.errors.length ? call.outputValidation.errors : null,
      'plimsoll.output.repaired': call.outputValidation?.repaired ? true : null,
    }),
  };
}

function stageSpan(call: CallSettled, stage: CallStage): SpanRow {
  return {
    ...sharedColumns(call),
    ...NO_MODEL_COLUMNS,
    spanId: stageSpanId(call, stage.name),
    parentSpanId: call.spanId,
    isEntry: false,
    isRequest: false,
    startedAtNs: toNs(call.startedAtMs) + toNs(stage.startOffsetMs),
    durationNs: toNs(stage.durationMs),
    name: stage.name,
    kind: stage.name === 'cache' ? 'cache' : 'stage',
    status: stage.status,
    statusMessage: '',
    errorType: stage.status === 'error' ? call.errorType : null,
    attributes: stage.name === 'cache' ? known(cacheAttributes(call)) : {},
  };
}

function attemptSpan(call: CallSettled, attempt: CallAttempt, parentSpanId: string): SpanRow {
  return {
    ...sharedColumns(call),
    ...NO_MODEL_COLUMNS,
    spanId: attempt.spanId,
    parentSpanId,
    isEntry: false,
    isRequest: false,
    startedAtNs: toNs(call.startedAtMs) + toNs(attempt.startOffsetMs),
    durationNs: toNs(attempt.durationMs),
    name: `${call.operation} ${attempt.requestModel}`,
    kind: 'llm',
    status: attempt.status,
    statusMessage: attempt.errorMessage ?? '',
    errorType: attempt.errorType,
    httpStatus: attempt.httpStatus,
    provider: attempt.provider,
    requestModel: attempt.requestModel,
    responseModel: attempt.responseModel,
    responseId: attempt.responseId,
    finishReasons: attempt.finishReasons,
    models: distinct([attempt.responseModel ?? attempt.requestModel]),
    providers: [attempt.provider],
    modelNames: distinct([call.requestedModel, attempt.model, attempt.requestModel, attempt.responseModel]),
    usage: attempt.usage,
    usageSource: attempt.usageSource,
    costPicoUsd: attempt.costPicoUsd === null ? null : BigInt(attempt.costPicoUsd),
    costStatus: attempt.costStatus,
    priceId: attempt.priceId,
    ttftMs: attempt.ttftMs,
    attributes: genAiAttributes(call, attempt),
  };
}

/** Texts of a call as a row of their own: they may be read from another batch than the call's `call.settled`. */
export function ioRowFromPayload(payload: CallPayload): SpanIoRow {
  const isPreview = payload.policy === 'preview';
  const input = readInput(payload.input, isPreview);
  const output = payload.output === null ? null : readOutput(payload.output, isPreview);
  return {
    organisationId: payload.organisationId,
    environment: payload.environment,
    feature: payload.feature ?? '',
    traceId: payload.traceId,
    spanId: payload.spanId,
    startedAtNs: toNs(payload.startedAtMs),
    input: payload.input,
    output: payload.output,
    inputPreview: input.preview,
    outputPreview: output?.preview ?? '',
    inputSearch: input.search,
    outputSearch: output?.search ?? '',
    isTruncated: payload.isTruncated,
  };
}

/**
 * The spans of one settled call: the entry span with the totals, one span per pipeline stage, one per attempt below the stage `infer`.
 * Pure: the same record gives the same rows, ids included.
 */
export function spansFromCall(call: CallSettled, payload: CallPayload | null): { spans: SpanRow[]; io: SpanIoRow[] } {
  const hasInferStage = call.stages.some((stage) => stage.name === 'infer');
  const attemptParent = hasInferStage ? stageSpanId(call, 'infer') : call.spanId;
  return {
    spans: [
      entrySpan(call),
      ...call.stages.map((stage) => stageSpan(call, stage)),
      ...call.attempts.map((attempt) => attemptSpan(call, attempt, attemptParent)),
    ],
    io: payload === null ? [] : [ioRowFromPayload(payload)],
  };
}
