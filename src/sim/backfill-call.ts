import { sumCost } from '../costs/call-cost.ts';
import { ERRORS, type ErrorCode } from '../kernel/errors.ts';
import type { Scope } from '../kernel/scope.ts';
import type { PricedUsage } from '../models/price-usage.ts';
import { inputTokens, NO_USAGE, outputTokens, type Usage } from '../models/usage.ts';
import type { CallAttempt, CallPayload, CallSettled, CallStage } from '../traces/call-record.ts';
import { DEFAULT_PROFILE, type ModelProfile } from './config.ts';
import type { SeededRandom } from './seeded-random.ts';

/** A model that past calls used. */
export interface BackfillModel {
  /** Alias in plimsoll.yaml. */
  readonly name: string;
  /** Provider name in plimsoll.yaml. */
  readonly provider: string;
  /** Provider kind, e.g. `sim`. */
  readonly providerKind: string;
  readonly upstreamModel: string;
  /** How fast it is and how it caches; a default when absent. */
  readonly profile?: ModelProfile;
}

/** A feature that made past calls. */
export interface BackfillFeature {
  readonly name: string;
  readonly team: string | null;
  /** Name of the route that it asked for; null = it asked for its first model. */
  readonly route: string | null;
  /** Model aliases in order; the first is primary, the rest are fallbacks. Never empty. */
  readonly models: readonly string[];
  readonly payloads: 'full' | 'preview' | 'none';
  /** Relative share of the sessions; 1 when absent. */
  readonly share?: number;
  /** Id of the virtual key that is named in the records. */
  readonly keyId?: string;
}

/** Price of a usage at a model, exact; `priced` or `unpriced`. */
export type PriceUsage = (usage: Usage, model: BackfillModel) => PricedUsage;

/** What one call said and how long that is. */
export interface CallText {
  readonly messages: readonly Readonly<Record<string, unknown>>[];
  readonly tools: readonly unknown[];
  readonly lastUserText: string;
  readonly output: Readonly<Record<string, unknown>>;
  readonly outputText: string;
  readonly inputTokens: number;
  /** Tokens before the last message: what a prompt cache can hold. */
  readonly prefixTokens: number;
  readonly outputTokens: number;
  readonly finishReason: 'stop' | 'tool_calls';
}

/** What happens to one call. */
export interface CallPlan {
  readonly scope: Scope;
  readonly feature: BackfillFeature;
  readonly targets: readonly [BackfillModel, ...BackfillModel[]];
  readonly atMs: number;
  readonly user: string;
  readonly session: string;
  readonly customer: string | null;
  readonly tags: Readonly<Record<string, string>>;
  readonly text: CallText;
  readonly random: SeededRandom;
  readonly priceUsage: PriceUsage;
  /** Chance that an attempt at this model fails now; 0 outside of incidents. */
  outageRatio(model: BackfillModel): number;
  /** Multiplies the time to the first token. */
  readonly slowdown: number;
}

export interface BackfillRecord {
  readonly settled: CallSettled;
  /** Null by policy (`payloads: none`). */
  readonly payload: CallPayload | null;
}

const USUAL_FAILURE_RATIO = 0.005;
const REJECTION_RATIO = 0.0025;
const ABORT_RATIO = 0.01;
const STREAM_RATIO = 0.7;
const PREVIEW_CHARACTERS = 200;

interface Failure {
  readonly code: ErrorCode;
  readonly httpStatus: number | null;
  readonly message: string;
  readonly afterMs: number;
  readonly isRetryable: boolean;
}

const round = (ms: number): number => Math.round(ms * 100) / 100;

function failureOf(plan: CallPlan, model: BackfillModel, attempt: number): Failure | null {
  const { random } = plan;
  const draw = random.next();
  const name = model.upstreamModel;
  if (attempt === 0 && draw < REJECTION_RATIO)
    return random.chance(0.6)
      ? {
          code: 'context_length_exceeded',
          httpStatus: 400,
          message: `${model.provider}: the input is longer than the context of ${name}`,
          afterMs: 90,
          isRetryable: false,
        }
      : {
          code: 'content_filtered',
          httpStatus: 400,
          message: `${model.provider}: refused by the content filter`,
          afterMs: 140,
          isRetryable: false,
        };
  if (draw >= REJECTION_RATIO + USUAL_FAILURE_RATIO + plan.outageRatio(model)) return null;
  const kind = random.next();
  if (kind < 0.55)
    return {
      code: 'provider_unavailable',
      httpStatus: 503,
      message: `${model.provider} answered 503 for ${name}`,
      afterMs: random.lognormal(180, 700),
      isRetryable: true,
    };
  if (kind < 0.8)
    return {
      code: 'provider_timeout',
      httpStatus: null,
      message: `${model.provider} sent no byte within 10000 ms`,
      afterMs: 10_000,
      isRetryable: true,
    };
  return {
    code: 'provider_rate_limited',
    httpStatus: 429,
    message: `${model.provider} answered 429 for ${name}`,
    afterMs: random.lognormal(60, 200),
    isRetryable: true,
  };
}

/** Splits the input between the prompt cache and the rest, and the output between text and reasoning. */
function usageOf(text: CallText, profile: ModelProfile, outputRatio: number, random: SeededRandom): Usage {
  const isHit = random.chance(profile.cacheHitRate) && text.prefixTokens >= profile.cacheMinimumTokens;
  const cacheReadTokens = isHit ? Math.floor(text.prefixTokens / 128) * 128 : 0;
  const reasoningTokens = profile.reasoningTokensMean === 0 ? 0 : Math.round(random.lognormal(0.85, 2.2) * profile.reasoningTokensMean);
  return {
    ...NO_USAGE,
    inputUncachedTokens: text.inputTokens - cacheReadTokens,
    cacheReadTokens,
    outputTextTokens: Math.max(1, Math.round(text.outputTokens * outputRatio)),
    reasoningTokens,
  };
}

function providerUsageText(usage: Usage, kind: string): string {
  const input = inputTokens(usage);
  const output = outputTokens(usage);
  if (kind === 'anthropic')
    return JSON.stringify({
      input_tokens: usage.inputUncachedTokens,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: usage.cacheReadTokens,
      output_tokens: output,
    });
  return JSON.stringify({
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    prompt_tokens_details: { cached_tokens: usage.cacheReadTokens },
    completion_tokens_details: { reasoning_tokens: usage.reasoningTokens },
  });
}

function failedAttempt(model: BackfillModel, failure: Failure, startOffsetMs: number, random: SeededRandom): CallAttempt {
  // As the gateway has it: a refusal costs nothing; what a silent provider has spent is not known.
  const isFree = failure.httpStatus !== null;
  return {
    ...targetOf(model, random),
    responseModel: null,
    responseId: null,
    startOffsetMs: round(startOffsetMs),
    durationMs: round(failure.afterMs),
    ttftMs: null,
    status: 'error',
    httpStatus: failure.httpStatus,
    errorType: failure.code,
    errorMessage: failure.message,
    finishReasons: [],
    usage: null,
    usageSource: null,
    providerUsage: null,
    costPicoUsd: isFree ? '0' : null,
    costStatus: isFree ? 'priced' : 'unpriced',
    priceId: null,
  };
}

function targetOf(
  model: BackfillModel,
  random: SeededRandom,
): Pick<CallAttempt, 'spanId' | 'model' | 'provider' | 'providerKind' | 'requestModel'> {
  return {
    spanId: spanId(random),
    model: model.name,
    provider: model.provider,
    providerKind: model.providerKind,
    requestModel: model.upstreamModel,
  };
}

/** The first digit is never 0, so that an id is never all zeros. */
function spanId(random: SeededRandom): string {
  return `${1 + random.integer(9)}${random.hex(15)}`;
}

/** UUIDv7 of a past time with seeded bits: the same for the same seed. */
export function seededUuidV7(atMs: number, random: SeededRandom): string {
  const time = Math.trunc(atMs).toString(16).padStart(12, '0');
  const bits = random.hex(18);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${bits.slice(0, 3)}-${(8 + random.integer(4)).toString(16)}${bits.slice(3, 6)}-${bits.slice(6)}`;
}

interface Answered {
  readonly attempt: CallAttempt;
  readonly gaps: CallSettled['interTokenMs'];
  readonly isAborted: boolean;
  readonly outputRatio: number;
}

function answeredAttempt(plan: CallPlan, model: BackfillModel, startOffsetMs: number, isStream: boolean): Answered {
  const { random, text, priceUsage } = plan;
  const profile = model.profile ?? DEFAULT_PROFILE;
  const isAborted = isStream && random.chance(ABORT_RATIO);
  const outputRatio = isAborted ? 0.1 + 0.6 * random.next() : 1;
  const usage = usageOf(text, profile, outputRatio, random);
  const msPerToken = (1_000 / profile.tokensPerSecond) * (1 + profile.jitter * 0.4 * Math.max(-2, random.normal()));
  const ttftMs =
    (random.lognormal(Math.max(1, profile.ttftMedianMs), Math.max(1, profile.ttftP95Ms, profile.ttftMedianMs)) +
      (usage.inputUncachedTokens / 1_000) * profile.prefillMsPerThousandTokens +
      usage.reasoningTokens * msPerToken) *
    plan.slowdown;
  const durationMs = ttftMs + usage.outputTextTokens * msPerToken;
  const chunks = Math.ceil(usage.outputTextTokens / profile.tokensPerChunk);
  const gapMs = msPerToken * profile.tokensPerChunk;
  const priced = priceUsage(usage, model);
  return {
    isAborted,
    outputRatio,
    gaps: isStream && chunks > 1 ? { count: chunks - 1, meanMs: round(gapMs), maxMs: round(gapMs * (1.5 + 2 * random.next())) } : null,
    attempt: {
      ...targetOf(model, random),
      responseModel: model.upstreamModel,
      responseId: `${model.providerKind === 'anthropic' ? 'msg_' : 'chatcmpl-'}${random.hex(24)}`,
      startOffsetMs: round(startOffsetMs),
      durationMs: round(durationMs),
      ttftMs: isStream ? round(ttftMs) : null,
      status: isAborted ? 'aborted' : 'ok',
      httpStatus: 200,
      errorType: isAborted ? 'client_closed' : null,
      errorMessage: isAborted ? 'The client closed the connection before the answer was complete.' : null,
      finishReasons: isAborted ? [] : [text.finishReason],
      usage,
      usageSource: isAborted ? 'estimated' : 'reported',
      providerUsage: isAborted ? null : providerUsageText(usage, model.providerKind),
      costPicoUsd: priced.costPicoUsd === null ? null : priced.costPicoUsd.toString(),
      costStatus: priced.costPicoUsd === null ? 'unpriced' : isAborted ? 'estimated_tokens' : 'priced',
      priceId: priced.priceId,
    },
  };
}

function stagesOf(inferMs: number, isOk: boolean, random: SeededRandom): CallStage[] {
  const stages: CallStage[] = [];
  let startOffsetMs = 0;
  for (const name of ['authenticate', 'admit', 'route', 'infer', 'settle'] as const) {
    const durationMs = name === 'infer' ? inferMs : 0.02 + 0.15 * random.next();
    stages.push({
      name,
      startOffsetMs: round(startOffsetMs),
      durationMs: round(durationMs),
      status: name === 'infer' && !isOk ? 'error' : 'ok',
    });
    startOffsetMs += durationMs;
  }
  return stages;
}

function payloadOf(plan: CallPlan, settled: CallSettled, answered: Answered | null): CallPayload | null {
  const { feature, text } = plan;
  if (feature.payloads === 'none') return null;
  const isFull = feature.payloads === 'full';
  const said = answered === null ? null : text.outputText.slice(0, Math.ceil(text.outputText.length * answered.outputRatio));
  const output =
    said === null
      ? null
      : isFull
        ? JSON.stringify([answered?.isAborted ? { role: 'assistant', content: said } : text.output])
        : said.slice(0, PREVIEW_CHARACTERS);
  const body = {
    model: settled.requestedModel,
    messages: text.messages,
    ...(text.tools.length > 0 ? { tools: text.tools } : {}),
    ...(settled.isStream ? { stream: true } : {}),
    ...settled.requestParameters,
  };
  const { callId, traceId, spanId: entrySpanId, organisationId, environment, startedAtMs } = settled;
  return {
    callId,
    traceId,
    spanId: entrySpanId,
    organisationId,
    environment,
    feature: feature.name,
    startedAtMs,
    policy: feature.payloads,
    input: isFull ? JSON.stringify(body) : text.lastUserText.slice(0, PREVIEW_CHARACTERS),
    output,
    isTruncated: false,
  };
}

/** Makes the journal records of one past call. Deterministic in the plan's random stream. */
export function buildCall(plan: CallPlan): BackfillRecord {
  const { feature, targets, random, text, scope } = plan;
  const callId = seededUuidV7(plan.atMs, random);
  const isStream = random.chance(STREAM_RATIO);
  const attempts: CallAttempt[] = [];
  let offsetMs = 0.4;
  let failure: Failure | null = null;
  let answered: Answered | null = null;
  for (const [position, model] of targets.entries()) {
    failure = failureOf(plan, model, position);
    if (failure === null) {
      answered = answeredAttempt(plan, model, offsetMs, isStream);
      attempts.push(answered.attempt);
      break;
    }
    attempts.push(failedAttempt(model, failure, offsetMs, random));
    offsetMs += failure.afterMs + 0.2;
    if (!failure.isRetryable) break;
  }
  const last = attempts.at(-1);
  const inferMs = (last?.startOffsetMs ?? 0) + (last?.durationMs ?? 0) - 0.4;
  const stages = stagesOf(inferMs, failure === null, random);
  const end = stages.at(-1);
  const [first] = targets;
  const ttftMs = answered?.attempt.ttftMs ?? null;
  const settled: CallSettled = {
    callId,
    traceId: `${1 + random.integer(9)}${random.hex(31)}`,
    spanId: spanId(random),
    parentSpanId: null,
    organisationId: scope.organisationId,
    environment: scope.environment,
    operation: 'chat',
    feature: feature.name,
    team: feature.team,
    user: plan.user,
    session: plan.session,
    customer: plan.customer,
    tags: plan.tags,
    keyId: feature.keyId ?? `backfill-${feature.name}`,
    requestedModel: feature.route ?? first.name,
    route: feature.route,
    isStream,
    startedAtMs: plan.atMs,
    snapshotEpoch: 0,
    estimatedInputTokens: Math.ceil(text.inputTokens * 1.1),
    firstTarget: { model: first.name, provider: first.provider, upstreamModel: first.upstreamModel },
    isSimulated: true,
    status: failure !== null ? 'error' : answered?.isAborted ? 'aborted' : 'ok',
    httpStatus: failure === null ? 200 : ERRORS[failure.code].status,
    errorType: failure?.code ?? answered?.attempt.errorType ?? null,
    errorMessage: failure?.message ?? answered?.attempt.errorMessage ?? null,
    durationMs: round((end?.startOffsetMs ?? 0) + (end?.durationMs ?? 0)),
    ttftMs: ttftMs === null ? null : round((last?.startOffsetMs ?? 0) + ttftMs),
    interTokenMs: answered?.gaps ?? null,
    attempts,
    stages,
    ...sumCost(attempts),
    requestParameters: { temperature: 0.3, max_tokens: 1_024 },
    isRecovered: false,
  };
  return { settled, payload: payloadOf(plan, settled, answered) };
}
