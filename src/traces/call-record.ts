import type { ErrorCode } from '../kernel/errors.ts';
import type { MeteredUnits } from '../models/metered-units.ts';
import type { CostStatus, Usage } from '../models/usage.ts';

/**
 * What the gateway journals of one `/v1` call. Written by `gateway`, read by `traces` (spans) and `costs` (ledger).
 * Stored for as long as journals live: fields are added, never renamed or removed (a fixture per schema version is tested).
 */
export const CALL_SCHEMA_VERSION = 1;

export type CallStatus = 'ok' | 'error' | 'aborted';

/**
 * Calls that no client asked for: a mirrored one, one that judges a request's difficulty, one that tries a target, the vector of a question for the
 * cache; and those that control makes through the gateway: a recorded call once more.
 */
export type CallPurpose = 'shadow' | 'classifier' | 'probe' | 'embedding' | 'replay';

/** What was asked of a model; `gen_ai.operation.name` where OpenTelemetry has a name for it. */
export type CallOperation =
  | 'chat'
  | 'text_completion'
  | 'embeddings'
  | 'rerank'
  | 'moderation'
  | 'image_generation'
  | 'image_edit'
  | 'speech'
  | 'transcription'
  | 'translation';

/** Journal record `call.opened`: written before the provider is called; carries what is needed to close the call after a crash. */
export interface CallOpened {
  readonly callId: string;
  readonly traceId: string;
  /** The call's entry span. */
  readonly spanId: string;
  /** The client's span, from `traceparent`. */
  readonly parentSpanId: string | null;
  readonly organisationId: string;
  readonly environment: string;
  readonly operation: CallOperation;
  readonly feature: string;
  readonly team: string | null;
  readonly user: string | null;
  readonly session: string | null;
  readonly customer: string | null;
  readonly tags: Readonly<Record<string, string>>;
  /** Id of the virtual key (never the key). */
  readonly keyId: string;
  /** What the client asked for: a route or a model alias. */
  readonly requestedModel: string;
  /** Path of the request; absent = `/v1/chat/completions`. */
  readonly endpoint?: string | undefined;
  /** Name of the route, null when a model alias was asked for. */
  readonly route: string | null;
  readonly isStream: boolean;
  /** Epoch milliseconds. */
  readonly startedAtMs: number;
  readonly snapshotEpoch: number;
  /** Upper estimate used when the call is never settled. */
  readonly estimatedInputTokens: number;
  /** Output tokens that limits of money or tokens hold for the call; booked when it is never settled. Absent = none are held. */
  readonly reservedOutputTokens?: number | undefined;
  /** Config name and model of the first target, to price an aborted call. */
  readonly firstTarget: { readonly model: string; readonly provider: string; readonly upstreamModel: string } | null;
  /** True when the target is simulated; shown wherever the call appears. */
  readonly isSimulated: boolean;
  /** Absent = a client's own call. */
  readonly purpose?: CallPurpose | undefined;
  /** The client's call that this one was made for, or whose answer it repeats. */
  readonly parentCallId?: string | undefined;
}

/** How a route chose its targets. */
export interface CallRouting {
  readonly strategy: string;
  /** For people, e.g. `complexity simple 0.93`. */
  readonly reason: string;
  /** Difficulty that was chosen for; null where none was judged. */
  readonly tier: string | null;
  /** Of each tier, 0 to 1; null where no local classifier judged. */
  readonly probabilities: Readonly<Record<string, number>> | null;
  /** Model aliases in the order in which they were to be tried. */
  readonly candidates: readonly string[];
  /** The model that would have been asked without the strategy. */
  readonly counterfactualModel: string | null;
  /** What that model would have cost for the same tokens, less what the call cost: decimal integer, negative when it cost more; null when not known. */
  readonly estimatedSavingPicoUsd: string | null;
}

/** One try at one provider. Times are relative to the call's start. */
export interface CallAttempt {
  readonly spanId: string;
  /** Alias in plimsoll.yaml. */
  readonly model: string;
  /** Provider name in plimsoll.yaml. */
  readonly provider: string;
  /** Provider kind, e.g. `openai` (OpenTelemetry `gen_ai.provider.name`). */
  readonly providerKind: string;
  /** Model id sent upstream. */
  readonly requestModel: string;
  /** Model id that the provider says it used. */
  readonly responseModel: string | null;
  readonly responseId: string | null;
  readonly startOffsetMs: number;
  readonly durationMs: number;
  readonly ttftMs: number | null;
  readonly status: CallStatus;
  readonly httpStatus: number | null;
  readonly errorType: ErrorCode | null;
  readonly errorMessage: string | null;
  readonly finishReasons: readonly string[];
  /** Null = nothing is known of usage (for example, no byte came back). */
  readonly usage: Usage | null;
  readonly usageSource: 'reported' | 'estimated' | null;
  /** Pieces that were measured, for what is sold by the piece; absent for chat. */
  readonly units?: MeteredUnits | undefined;
  /** The provider's own usage object, verbatim JSON text. */
  readonly providerUsage: string | null;
  /** Decimal integer; null when unpriced. */
  readonly costPicoUsd: string | null;
  readonly costStatus: CostStatus;
  readonly priceId: string | null;
  /** Of the answer, where it is not that of the list price: `flex`, `priority`, `batch` …; absent = the standard one, or not told. */
  readonly serviceTier?: string | undefined;
  /** What limits count in place of a cost that is not known because the price does not say what the tier costs: the list price. Decimal integer. */
  readonly bookedPicoUsd?: string | undefined;
  /** Declared region of the target; absent = none was declared. */
  readonly region?: string | undefined;
  /** Present and true when the target declares that it runs on our own machines. */
  readonly isSelfHosted?: boolean | undefined;
  /** Present and true when the idle connection that it was sent on first turned out to be closed, and it was sent again on another one. */
  readonly isResent?: boolean | undefined;
  /** Why there is another attempt; absent for the first. */
  readonly role?: AttemptRole | undefined;
}

/** What a feature demanded of its targets and what that left out. */
export interface TargetRules {
  /** E.g. `regions eu; self-hosted`; null = none is demanded. */
  readonly residency: string | null;
  /** Targets of the destination that were not used, with the reason. */
  readonly excluded: readonly { readonly model: string; readonly rule: string }[];
}

/** The same target again, the next one, a second one beside a slow first, the rest of a stream that broke, or an invalid answer once more. */
export type AttemptRole = 'retry' | 'fallback' | 'hedge' | 'restart' | 'repair';

export interface CallStage {
  readonly name: 'authenticate' | 'receive' | 'admit' | 'cache' | 'route' | 'infer' | 'guard-output' | 'settle';
  readonly startOffsetMs: number;
  readonly durationMs: number;
  readonly status: 'ok' | 'error';
}

/** Whether the answer had the form that was asked for. */
export interface OutputValidation {
  /** Of the answer that the client got, or would have got; unmeasured = it could not be checked. */
  readonly verdict: 'valid' | 'invalid' | 'unmeasured';
  /** Where and which rule, or why it could not be checked; never what the answer says there. */
  readonly errors: readonly string[];
  /** The model was asked a second time because its first answer was invalid. */
  readonly repaired: boolean;
}

/** What the cache did for a call of a feature that has one. */
export interface CallCacheRecord {
  /** bypass = it was not asked; the reason says why. */
  readonly outcome: 'hit' | 'near-hit' | 'semantic-hit' | 'miss' | 'bypass';
  readonly reason: string | null;
  /** Null for an answer that was on its way to another call, and without a hit. */
  readonly ageMs: number | null;
  /** Of a semantic hit: cosine of the two questions. */
  readonly similarity: number | null;
  /** What the answer cost when it was new; null = unpriced, or no hit. */
  readonly savedPicoUsd: string | null;
  readonly savedInputTokens: number | null;
  readonly savedOutputTokens: number | null;
  /** The call that got the answer from a provider; null without a hit. */
  readonly origin: {
    readonly callId: string;
    readonly traceId: string;
    readonly model: string;
    readonly provider: string;
    readonly requestModel: string;
    readonly responseModel: string | null;
    readonly responseId: string | null;
    readonly finishReasons: readonly string[];
  } | null;
}

/** Journal record `call.settled`: exactly one per call, written once, after the last byte or the failure. */
export interface CallSettled extends CallOpened {
  readonly status: CallStatus;
  readonly httpStatus: number;
  readonly errorType: ErrorCode | null;
  readonly errorMessage: string | null;
  readonly durationMs: number;
  /** Milliseconds from the request's arrival to the first byte of content sent to the client; null when none was. */
  readonly ttftMs: number | null;
  /** Gaps between content chunks of a stream; null for JSON answers and streams of one chunk. */
  readonly interTokenMs: { readonly count: number; readonly meanMs: number; readonly maxMs: number } | null;
  readonly attempts: readonly CallAttempt[];
  readonly stages: readonly CallStage[];
  /** Sum over attempts; null when any attempt with usage is unpriced. */
  readonly costPicoUsd: string | null;
  readonly costStatus: CostStatus;
  /** Sampling parameters that were sent: temperature, max_tokens … */
  readonly requestParameters: Readonly<Record<string, unknown>>;
  /** Absent where there was nothing to choose. */
  readonly routing?: CallRouting | undefined;
  /** Settled by the recovery after a crash, not by the pipeline. */
  readonly isRecovered: boolean;
  /** Absent for features without a cache. */
  readonly cache?: CallCacheRecord | undefined;
  /** Absent when the feature demands nothing of its targets. */
  readonly targetRules?: TargetRules | undefined;
  /** Absent when nothing had to be checked. */
  readonly outputValidation?: OutputValidation | undefined;
}

/** Journal record `payload`: texts of a call; shed first when the disk is short. */
export interface CallPayload {
  readonly callId: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly organisationId: string;
  readonly environment: string;
  /** Absent in records of versions that did not note it. */
  readonly feature?: string;
  readonly startedAtMs: number;
  readonly policy: 'full' | 'preview';
  /** The request body as sent by the client (JSON text). For `preview`: the first 200 characters of the last user message. */
  readonly input: string;
  /** The answer: OpenAI `choices[].message` list as JSON text. For `preview`: the first 200 characters of the text. */
  readonly output: string | null;
  /** True when either text was cut to the configured maximum. */
  readonly isTruncated: boolean;
}
