import { PlimsollError } from '../kernel/errors.ts';
import type { Scope } from '../kernel/scope.ts';
import {
  type BackfillFeature,
  type BackfillModel,
  type BackfillRecord,
  buildCall,
  type CallText,
  type PriceUsage,
} from './backfill-call.ts';
import { anomalyWindow, expectedCalls, incidentWindow, isWithin, sliceLengthMs, slicesBetween } from './backfill-shape.ts';
import { CORPUS_FEATURES } from './corpus/features.ts';
import type { CorpusConversation, CorpusFeature, CorpusTurn } from './corpus/model.ts';
import { type SeededRandom, seededRandom } from './seeded-random.ts';
import { countTokens } from './tokens.ts';

export interface BackfillOptions {
  /** Days of history before `endMs`. */
  readonly days: number;
  /** Epoch milliseconds; no call starts at or after it. */
  readonly endMs: number;
  readonly seed: number;
  /** Mean over a week at the end of the history (count); earlier days have less. */
  readonly callsPerDay: number;
  readonly scope: Scope;
  readonly features: readonly BackfillFeature[];
  /** Different users (count ≥ 1); 240 when absent. */
  readonly users?: number;
  /** All models that the features name. */
  readonly models: readonly BackfillModel[];
  readonly priceUsage: PriceUsage;
}

const DAY_MS = 86_400_000;
const CUSTOMERS = [
  'Marina Westhaven',
  'Fjordcharter AS',
  'Segelschule Harms',
  'Base Nautique de Lorient',
  'Club Náutico Valencia',
  'Nordlys Expeditions',
  'Kiel Rowing Club',
  'Baltic Sail Tours',
];
const CHANNELS = ['web', 'web', 'web', 'app', 'app', 'email'];
const USUAL_USERS = 240;
/** A planted incident lets this share of the attempts at the failing provider fail. */
const OUTAGE_RATIO = 0.92;
const INCIDENT_SLOWDOWN = 2.6;

/** Token counts of the few hundred texts that all calls are made of. */
class TokenMemo {
  readonly #counts = new Map<string, number>();

  count(text: string): number {
    let count = this.#counts.get(text);
    if (count === undefined) {
      count = countTokens(text);
      this.#counts.set(text, count);
    }
    return count;
  }
}

/** A call in a session: what it says, and how long after the start of the session. */
interface SessionCall {
  readonly afterMs: number;
  readonly text: CallText;
}

function corpusOf(feature: BackfillFeature): CorpusFeature {
  return CORPUS_FEATURES.find((corpus) => corpus.name === feature.name) ?? CORPUS_FEATURES[0];
}

function callsOf(conversation: CorpusConversation): number {
  return conversation.turns.reduce((sum, turn) => sum + (turn.tools === undefined ? 1 : 2), 0);
}

function toolCallsOf(turn: CorpusTurn, random: SeededRandom): Record<string, unknown>[] {
  return (turn.tools ?? []).map((use) => ({
    id: `call_${random.hex(24)}`,
    type: 'function',
    function: { name: use.name, arguments: JSON.stringify(use.arguments) },
  }));
}

/** Plays a conversation: each turn is one call, or two when the model looks something up first. */
function playSession(
  corpus: CorpusFeature,
  conversation: CorpusConversation,
  contextPages: number,
  random: SeededRandom,
  memo: TokenMemo,
): SessionCall[] {
  const calls: SessionCall[] = [];
  const pages = Array.from({ length: contextPages }, () => random.pick(random.pick(CORPUS_FEATURES).conversations).turns[0].answer);
  const tools = corpus.tools.map((tool) => ({ type: 'function', function: tool }));
  const system = pages.length === 0 ? corpus.systemPrompt : `${corpus.systemPrompt}\n\nContext:\n\n${pages.join('\n\n')}`;
  const messages: Record<string, unknown>[] = [{ role: 'system', content: system }];
  let tokens =
    memo.count(corpus.systemPrompt) + pages.reduce((sum, page) => sum + memo.count(page) + 1, 0) + memo.count(JSON.stringify(tools)) + 3;
  let afterMs = 0;
  const push = (message: Record<string, unknown>, count: number): void => {
    messages.push(message);
    tokens += count + 3;
  };
  const add = (output: Record<string, unknown>, outputText: string, count: number, prefixTokens: number, question: string): void => {
    const isToolCall = output.tool_calls !== undefined;
    calls.push({
      afterMs,
      text: {
        messages: [...messages],
        tools,
        lastUserText: question,
        output,
        outputText,
        inputTokens: tokens + 3,
        prefixTokens,
        outputTokens: count,
        finishReason: isToolCall ? 'tool_calls' : 'stop',
      },
    });
  };
  for (const turn of conversation.turns) {
    let prefixTokens = tokens;
    push({ role: 'user', content: turn.question }, memo.count(turn.question));
    if (turn.tools !== undefined) {
      const toolCalls = toolCallsOf(turn, random);
      const output = { role: 'assistant', content: null, tool_calls: toolCalls };
      const said = turn.tools.map((use) => `${use.name}(${JSON.stringify(use.arguments)})`).join('\n');
      add(output, said, memo.count(said), prefixTokens, turn.question);
      push(output, memo.count(said));
      prefixTokens = tokens;
      for (const [position, use] of turn.tools.entries()) {
        const content = JSON.stringify(use.result);
        push({ role: 'tool', tool_call_id: toolCalls[position]?.id, content }, memo.count(content));
      }
      afterMs += Math.round(1_500 + random.exponential(1_500));
    }
    const answer = { role: 'assistant', content: turn.answer };
    add(answer, turn.answer, memo.count(turn.answer), prefixTokens, turn.question);
    push(answer, memo.count(turn.answer));
    afterMs += Math.round(12_000 + random.exponential(40_000));
  }
  return calls;
}

interface Target {
  readonly feature: BackfillFeature;
  readonly corpus: CorpusFeature;
  readonly models: readonly [BackfillModel, ...BackfillModel[]];
  readonly share: number;
}

function resolveTargets({ features, models }: BackfillOptions): readonly [Target, ...Target[]] {
  const targets = features.map((feature): Target => {
    const [first, ...rest] = feature.models.map((name) => {
      const model = models.find((candidate) => candidate.name === name);
      if (model === undefined)
        throw new PlimsollError('invalid_argument', `Feature "${feature.name}" names the model "${name}", which is not given`, {
          details: { feature: feature.name, model: name },
        });
      return model;
    });
    if (first === undefined)
      throw new PlimsollError('invalid_argument', `Feature "${feature.name}" has no model`, { details: { feature: feature.name } });
    return { feature, corpus: corpusOf(feature), models: [first, ...rest], share: feature.share ?? 1 };
  });
  const [first, ...rest] = targets;
  if (first === undefined) throw new PlimsollError('invalid_argument', 'A backfill needs at least one feature');
  return [first, ...rest];
}

/** The models that the planted incident takes down: all of the first feature's primary provider, or only its model when everything runs there. */
function failingModels(options: BackfillOptions, targets: readonly [Target, ...Target[]]): ReadonlySet<string> {
  const [primary] = targets[0].models;
  const sameProvider = options.models.filter((model) => model.provider === primary.provider);
  return new Set((sameProvider.length === options.models.length ? [primary] : sameProvider).map((model) => model.name));
}

function pickTarget(targets: readonly [Target, ...Target[]], random: SeededRandom): Target {
  let draw = random.next() * targets.reduce((sum, target) => sum + target.share, 0);
  for (const target of targets) {
    draw -= target.share;
    if (draw < 0) return target;
  }
  return targets[0];
}

/**
 * Past calls in order of their start: weekdays with a peak from 10 to 16 h in Berlin, weekends at 35 %, slow growth, one outage of a
 * provider with fallbacks (nine days before the end), one day on which the second feature (else the first) sends long prompts (three days
 * before the end). The same options give the same records, ids included; a later `endMs` on the same day only adds to them.
 * @throws PlimsollError `invalid_argument` when a feature names an unknown model
 */
export async function* backfillRecords(options: BackfillOptions): AsyncGenerator<BackfillRecord> {
  const { seed, endMs, days, callsPerDay, scope, priceUsage } = options;
  const targets = resolveTargets(options);
  const memo = new TokenMemo();
  const anchorMs = Math.floor(endMs / DAY_MS) * DAY_MS;
  const startMs = endMs - days * DAY_MS;
  const lengthMs = sliceLengthMs(callsPerDay);
  const incident = incidentWindow(anchorMs);
  const anomaly = anomalyWindow(anchorMs);
  const failing = failingModels(options, targets);
  const anomalous = targets[1] ?? targets[0];
  const shares = targets.reduce((sum, target) => sum + target.share, 0);
  const callsPerSession = targets.reduce(
    (sum, { corpus, share }) =>
      sum +
      (share / shares) *
        (corpus.conversations.reduce((calls, conversation) => calls + callsOf(conversation), 0) / corpus.conversations.length),
    0,
  );
  /** Calls of sessions that began earlier and are not due yet. */
  let pending: BackfillRecord[] = [];

  function playAt(sliceMs: number, session: number): void {
    const random = seededRandom(seed, 'session', scope.organisationId, scope.environment, sliceMs, session);
    const target = pickTarget(targets, random);
    const sessionMs = sliceMs + random.integer(lengthMs);
    const isAnomalous = target === anomalous && isWithin(anomaly, sessionMs);
    const contextPages = isAnomalous ? 22 + random.poisson(10) : random.poisson(1.5);
    const conversation = random.pick(target.corpus.conversations);
    const userNumber = Math.floor((options.users ?? USUAL_USERS) * random.next() ** 2);
    const person = {
      user: `user-${String(userNumber).padStart(3, '0')}`,
      session: `session-${random.hex(12)}`,
      customer: userNumber % 3 === 0 ? (CUSTOMERS[userNumber % CUSTOMERS.length] ?? null) : null,
      tags: { channel: random.pick(CHANNELS) },
    };
    for (const [position, { afterMs, text }] of playSession(target.corpus, conversation, contextPages, random, memo).entries()) {
      const atMs = sessionMs + afterMs;
      if (atMs < startMs || atMs >= endMs) continue;
      const isIncident = isWithin(incident, atMs);
      pending.push(
        buildCall({
          scope,
          feature: target.feature,
          targets: target.models,
          atMs,
          ...person,
          text,
          random: seededRandom(seed, 'call', scope.organisationId, scope.environment, sliceMs, session, position),
          priceUsage,
          outageRatio: (model) => (isIncident && failing.has(model.name) ? OUTAGE_RATIO : 0),
          slowdown: isIncident ? INCIDENT_SLOWDOWN : 1,
        }),
      );
    }
  }

  for (const sliceMs of slicesBetween(startMs, endMs, lengthMs)) {
    const expected = expectedCalls(sliceMs, anchorMs, callsPerDay) * (lengthMs / 3_600_000);
    const sessions = seededRandom(seed, 'hour', sliceMs).poisson(expected / callsPerSession);
    for (let session = 0; session < sessions; session++) playAt(sliceMs, session);
    const due = pending.filter((record) => record.settled.startedAtMs < sliceMs + lengthMs);
    pending = pending.filter((record) => record.settled.startedAtMs >= sliceMs + lengthMs);
    yield* inOrder(due);
    // A slice of records is made in one go; others get their turn in between.
    await new Promise((resolve) => setImmediate(resolve));
  }
  yield* inOrder(pending);
}

function inOrder(records: readonly BackfillRecord[]): BackfillRecord[] {
  return records.toSorted((a, b) => a.settled.startedAtMs - b.settled.startedAtMs || (a.settled.callId < b.settled.callId ? -1 : 1));
}
