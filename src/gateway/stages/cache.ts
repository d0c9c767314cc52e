import { type ErrorCode, PlimsollError, toPlimsollError } from '../../kernel/errors.ts';
import type { CachedAnswer } from '../cache/answer-cache.ts';
import { hashKey, keyPrefix } from '../cache/cache-key.ts';
import { CallCache } from '../cache/call-cache.ts';
import type { Flight, Landing } from '../cache/flight.ts';
import { WaitingCall } from '../cache/follower.ts';
import { embedByModel } from '../cache/model-embedder.ts';
import { nearForm } from '../cache/question-text.ts';
import { serveKept } from '../cache/replay.ts';
import { identifyRequest, type RequestIdentity, requestContext } from '../cache/request-identity.ts';
import { type CacheWish, readCacheWish } from '../cache/request-wish.ts';
import type { FeatureCacheSettings } from '../cache/settings.ts';
import type { Call } from '../call.ts';
import type { GatewayContext } from '../gateway-context.ts';
import { mayRestart } from '../routing/restart.ts';

/** Bytes that are held for a client that waits with others and reads slowly. */
const MAX_BEHIND_BYTES = 16 * 1024 * 1024;

/** Errors of a provider, which an equal call would meet too. All others are the leader's own: its client left, its limits are used up. */
const OF_THE_QUESTION: ReadonlySet<ErrorCode> = new Set([
  'provider_rejected',
  'provider_auth_failed',
  'context_length_exceeded',
  'content_filtered',
]);

function isOfTheQuestion({ code, owner }: PlimsollError): boolean {
  return owner === 'upstream' || OF_THE_QUESTION.has(code);
}

/** Why this request has nothing to do with the cache; null = it may be answered from it. */
function reasonToBypass(call: Call, settings: FeatureCacheSettings, identity: RequestIdentity): string | null {
  if (identity.temperature !== null && identity.temperature > settings.maxTemperature)
    return `temperature ${identity.temperature} is above ${settings.maxTemperature}`;
  if (settings.isolation === 'customer' && call.customer === null) return 'the request names no customer';
  if (settings.isolation === 'user' && call.user === null) return 'the request names no user';
  return null;
}

interface Question {
  readonly key: string;
  /** What to look for among similar questions; null when the mode is another. */
  readonly similar: { readonly circumstances: string; readonly text: string } | null;
  readonly wish: CacheWish;
  /** Equal calls share one that is on its way. */
  isShared: boolean;
}

/** The key of the call, or null when the cache is not for it. @param nowMs epoch milliseconds */
function ask(call: Call, cache: CallCache, nowMs: number): Question | null {
  const wish = readCacheWish(call.request.headers);
  cache.reason = wish.reason;
  if (!wish.writes && !wish.reads) return null;
  const identity = identifyRequest(call);
  const reason = typeof identity === 'string' ? identity : reasonToBypass(call, cache.settings, identity);
  if (typeof identity === 'string' || reason !== null) {
    cache.reason = reason;
    return null;
  }
  if (call.destination === null) throw new PlimsollError('internal', 'cache ran before route');
  const prefix = keyPrefix(call, call.destination, cache.settings, nowMs, null);
  const key = hashKey('exact', prefix, identity.canonical);
  cache.key = key;
  const context = cache.settings.mode === 'exact' || identity.hub === null ? null : requestContext(identity.hub);
  if (context !== null) cache.nearKey = hashKey('near', prefix, context.canonical, nearForm(context.text));
  const isSemantic = context !== null && cache.settings.semantic !== null && cache.settings.semantic.state !== 'off';
  const similar = isSemantic ? { circumstances: hashKey('context', prefix, context.canonical), text: context.text } : null;
  // A tool call that waits for another one's would act twice on one decision; a stream that may begin anew says so to its own client only.
  const isShared = wish.reads && (!identity.hasTools || cache.settings.keepsToolCalls) && !mayRestart(call);
  return { key, similar, wish, isShared };
}

async function serve(
  call: Call,
  cache: CallCache,
  answer: CachedAnswer,
  outcome: CallCache['outcome'],
  context: GatewayContext,
): Promise<void> {
  cache.outcome = outcome;
  cache.origin = answer.origin;
  cache.model = answer.origin.model;
  cache.ageMs = Math.max(0, context.clock.nowMs() - answer.storedAtMs);
  await serveKept(call, answer, cache.settings.replay, context.clock);
}

/** Takes over the answer of a flight. @returns false when it has none for this call */
async function land(call: Call, cache: CallCache, waiting: WaitingCall, landing: Landing, context: GatewayContext): Promise<boolean> {
  const { origin, answer, lastBytes } = landing;
  if (waiting.hasStarted) {
    cache.origin = origin;
    call.answer = { kind: 'stream', content: null, lastBytes };
    return true;
  }
  if (answer === null) return false;
  cache.origin = answer.origin;
  cache.model = answer.origin.model;
  await serveKept(call, answer, 'instant', context.clock);
  return true;
}

/**
 * Waits for an equal call that is on its way.
 * @returns true when this one has its answer; false when it has to ask on its own
 * @throws PlimsollError the leader's failure, when it would be this call's too
 */
async function follow(call: Call, cache: CallCache, flight: Flight, mayRetry: boolean, context: GatewayContext): Promise<boolean> {
  const waiting = new WaitingCall(call, flight, MAX_BEHIND_BYTES);
  cache.outcome = 'hit';
  cache.reason = 'shared with a call that was on its way';
  const outcome = await waiting.wait();
  if (outcome.kind === 'left') {
    if (!waiting.hasStarted) cache.outcome = 'miss';
    throw outcome.error;
  }
  const { landing } = outcome;
  const { error } = landing;
  if (error === null && (await land(call, cache, waiting, landing, context))) return true;
  const isShared = error !== null && isOfTheQuestion(error);
  // Bytes of a broken answer cannot be taken back.
  if (error !== null && (waiting.hasStarted || (isShared && (!mayRetry || !error.retryable)))) throw error;
  return false;
}

/** Spread evenly over calls: the end of a call's id is random. @param ratio share that is chosen (fraction) */
function isSampled(callId: string, ratio: number): boolean {
  return Number.parseInt(callId.slice(-8), 16) < ratio * 0x1_0000_0000;
}

/**
 * Looks for the answer to a similar question. While that is being measured, and for a sample later, it is not given but held against the
 * answer of the model, which this call then gets.
 */
async function giveSimilar(
  call: Call,
  cache: CallCache,
  { similar, wish }: Pick<Question, 'similar' | 'wish'>,
  context: GatewayContext,
): Promise<boolean> {
  const { semantic: settings } = cache.settings;
  const { semantic } = context.cache;
  const feature = call.caller?.feature.name ?? '';
  if (settings === null || similar === null) return false;
  try {
    cache.question ??= await semantic.embed(similar.circumstances, similar.text, settings, (embedder, text) =>
      embedByModel(call, embedder, text, context),
    );
  } catch (thrown) {
    const { code, message } = toPlimsollError(thrown);
    cache.notCompared = `not compared with similar questions: ${code}: ${message}`;
    context.cache.counters.of(feature).notCompared++;
    return false;
  }
  const neighbour = semantic.find(feature, cache.question, settings);
  if (neighbour === null) return false;
  const [kept = null] = await context.cache.find(call, [neighbour.key], wish.maxAgeMs);
  if (kept === null) {
    // A shared store may only have been slow to answer.
    if (wish.maxAgeMs === null && context.cache.store.driver === 'memory') semantic.forget(feature, cache.question, neighbour.key);
    return false;
  }
  cache.similarity = Math.round(neighbour.similarity * 10_000) / 10_000;
  if (!semantic.isLive(feature, settings) || isSampled(call.callId, settings.shadowRatio)) {
    cache.shadow = kept;
    return false;
  }
  await serve(call, cache, kept, 'semantic-hit', context);
  return true;
}

/** @returns true when there is a kept answer, and it was given */
async function giveKept(call: Call, cache: CallCache, { key, similar, wish }: Question, context: GatewayContext): Promise<boolean> {
  const keys = cache.nearKey === null ? [key] : [key, cache.nearKey];
  const [exact = null, near = null] = await context.cache.find(call, keys, wish.maxAgeMs);
  const kept = exact ?? near;
  cache.reason = null;
  if (kept === null) {
    const looking = (): Promise<boolean> => giveSimilar(call, cache, { similar, wish }, context);
    const { semantic } = cache.settings;
    if (semantic === null || semantic.embedder === 'lexical' || context.cache.semantic.isLive(call.caller?.feature.name ?? '', semantic))
      return looking();
    // What is found is not given, only compared: nobody has to wait for a model's vector.
    // A failure is noted where it happens; the rest is our defect and must not end the process.
    cache.comparing ??= looking().catch(() => false);
    return false;
  }
  await serve(call, cache, kept, exact === null ? 'near-hit' : 'hit', context);
  return true;
}

/**
 * Looks for an answer before anything is asked of a provider: one that is kept, or one that is on its way to an equal call.
 * @returns true when the call has its answer
 * Runs once it is known where the call may go: who may not use a model gets none of its answers.
 * @throws PlimsollError `invalid_argument` for the header, and what a shared call failed with
 */
export async function answerFromCache(call: Call, settings: FeatureCacheSettings, context: GatewayContext): Promise<boolean> {
  const cache = new CallCache(settings);
  call.cache = cache;
  const question = ask(call, cache, context.clock.nowMs());
  if (question === null) return false;
  const { key, wish } = question;
  for (let failures = 0; wish.reads; ) {
    const flight = question.isShared ? context.cache.joinable(call, key, wish.maxAgeMs) : null;
    if (flight !== null) {
      if (await follow(call, cache, flight, failures === 0, context)) return true;
      const error = flight.landing?.error ?? null;
      if (error === null) question.isShared = false;
      else if (isOfTheQuestion(error)) failures++;
      continue;
    }
    if (await giveKept(call, cache, question, context)) return true;
    // Somebody may have begun while the store was asked.
    if (!question.isShared || context.cache.joinable(call, key, wish.maxAgeMs) === null) break;
  }
  if (wish.reads) {
    cache.outcome = 'miss';
    cache.reason = cache.notCompared;
  }
  if (wish.writes) context.cache.lead(call, key, question.isShared);
  return false;
}
