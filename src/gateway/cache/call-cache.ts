import { inputTokens, outputTokens } from '../../models/usage.ts';
import type { CallCacheRecord } from '../../traces/call-record.ts';
import type { AnswerOrigin, CachedAnswer } from './answer-cache.ts';
import type { EmbeddedQuestion } from './semantic-cache.ts';
import type { FeatureCacheSettings } from './settings.ts';

/** What the cache found out for one call and did for it. */
export class CallCache {
  readonly settings: FeatureCacheSettings;
  outcome: CallCacheRecord['outcome'] = 'bypass';
  /** Why it was bypassed, or how a hit came about. */
  reason: string | null = null;
  /** Under which the answer of a miss is kept; null = it is not. */
  key: string | null = null;
  /** Of the normalised text; null = there is none. */
  nearKey: string | null = null;
  /** Ready to be compared with others; null when the mode is another. */
  question: EmbeddedQuestion | null = null;
  /** Looks for a similar question beside the call, which does not wait for it; never rejects. Null = nothing is under way. */
  comparing: Promise<unknown> | null = null;
  /** Why no similar question was looked for; null = it was, or the mode is another. */
  notCompared: string | null = null;
  /** A kept answer to a similar question, held against the model's own instead of being given. */
  shadow: CachedAnswer | null = null;
  /** Cosine of the question to the one whose answer was found. */
  similarity: number | null = null;
  /** Alias of the model whose answer is given; null while none is. */
  model: string | null = null;
  /** Of the answer that was given. */
  origin: AnswerOrigin | null = null;
  /** Age of a kept answer; null for one that was made while this call waited. */
  ageMs: number | null = null;

  constructor(settings: FeatureCacheSettings) {
    this.settings = settings;
  }

  get isHit(): boolean {
    return this.outcome !== 'miss' && this.outcome !== 'bypass';
  }

  /** Response headers, flat name, value list. */
  headers(): readonly string[] {
    const cache = ['x-plimsoll-cache', this.outcome];
    return this.ageMs === null ? cache : [...cache, 'age', String(Math.floor(this.ageMs / 1000))];
  }

  record(): CallCacheRecord {
    const { origin } = this;
    const usage = origin?.usage ?? null;
    return {
      outcome: this.outcome,
      reason: this.reason,
      ageMs: this.ageMs,
      similarity: this.similarity,
      savedPicoUsd: origin?.costPicoUsd ?? null,
      savedInputTokens: usage && inputTokens(usage),
      savedOutputTokens: usage && outputTokens(usage),
      origin: origin === null ? null : recorded(origin),
    };
  }
}

function recorded(origin: AnswerOrigin): CallCacheRecord['origin'] {
  const { callId, traceId, model, provider, requestModel, responseModel, responseId, finishReasons } = origin;
  return { callId, traceId, model, provider, requestModel, responseModel, responseId, finishReasons };
}
