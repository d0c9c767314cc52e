import { styleAnswer } from './answer-style.ts';
import type { AnswerIndex } from './answers.ts';
import { answerText } from './answers.ts';
import type { ChatRequest } from './chat-request.ts';
import type { ModelProfile } from './config.ts';
import type { CorpusTurn } from './corpus/model.ts';
import type { Task } from './corpus/task-template.ts';
import { finalAnswer, findTask } from './corpus/tasks.ts';
import { splitMagicFault } from './faults.ts';
import { detectLanguage, PHRASES } from './general-answers.ts';
import { freeJsonObject, valueForSchema } from './schema-values.ts';
import { type SeededRandom, seededRandom } from './seeded-random.ts';
import { countTokens, tokenize } from './tokens.ts';
import { answerFromToolResult, chooseToolCalls, type PlannedToolCall, repeatedToolCall } from './tool-calls.ts';

export type FinishReason = 'stop' | 'stop_sequence' | 'length' | 'tool_calls' | 'content_filter' | 'refusal';

export interface PlannedChoice {
  /** The text in tokens; joined, they are the text. Empty for tool calls. */
  readonly tokens: readonly string[];
  readonly toolCalls: readonly PlannedToolCall[];
  readonly finish: FinishReason;
  /** The stop sequence that ended the text. */
  readonly stopSequence: string | null;
}

/** Token counts; the input classes do not overlap and add up to the input, reasoning is a part of the output. */
export interface PlannedUsage {
  readonly uncachedInputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheWrite5mTokens: number;
  readonly cacheWrite1hTokens: number;
  /** Everything generated, reasoning included. */
  readonly outputTokens: number;
  readonly reasoningTokens: number;
}

export interface PlannedAnswer {
  readonly choices: readonly [PlannedChoice, ...PlannedChoice[]];
  readonly usage: PlannedUsage;
  /** Visible thinking (Anthropic), empty when none was asked for. */
  readonly thinking: string;
  /** Milliseconds from the request to the first token. */
  readonly ttftMs: number;
  /** Milliseconds of gap before the nth chunk after the first. */
  gapMs(chunk: number): number;
  /** Milliseconds from the request to the end of an answer that is not streamed. */
  readonly durationMs: number;
  readonly tokensPerChunk: number;
}

const TOKENS_PER_MESSAGE = 3;
const TOKENS_OF_REPLY_START = 3;
const CACHE_BLOCK_TOKENS = 128;

/**
 * Input tokens of a request by length: entry n is the count for its first n turns. Tools stand before all turns, as at the providers.
 * Counted once per request: the texts are long.
 */
function prefixTokens(request: ChatRequest): readonly number[] {
  let count = request.tools.length === 0 ? 0 : countTokens(JSON.stringify(request.tools));
  const counts = [count];
  for (const turn of request.turns) {
    count += countTokens(turn.text) + turn.extraTokens + TOKENS_PER_MESSAGE;
    counts.push(count);
  }
  return counts;
}

/** All input tokens of a request (count). */
export function countInputTokens(request: ChatRequest): number {
  return (prefixTokens(request).at(-1) ?? 0) + TOKENS_OF_REPLY_START;
}

/** The last message of the user without its fault line: what the answer is about. */
export function questionOf(request: ChatRequest): string {
  return splitMagicFault(request.turns.findLast((turn) => turn.role === 'user')?.text ?? '').text;
}

type InputUsage = Omit<PlannedUsage, 'outputTokens' | 'reasoningTokens'>;

function planCaching(request: ChatRequest, profile: ModelProfile, random: SeededRandom): InputUsage {
  const prefixes = prefixTokens(request);
  const total = (prefixes.at(-1) ?? 0) + TOKENS_OF_REPLY_START;
  const none = { uncachedInputTokens: total, cacheReadTokens: 0, cacheWrite5mTokens: 0, cacheWrite1hTokens: 0 };
  const isHit = random.chance(profile.cacheHitRate);
  if (request.caching === 'automatic') {
    const prefix = prefixes[request.turns.length - 1] ?? 0;
    if (!isHit || prefix < profile.cacheMinimumTokens) return none;
    const cached = Math.floor(prefix / CACHE_BLOCK_TOKENS) * CACHE_BLOCK_TOKENS;
    return { ...none, uncachedInputTokens: total - cached, cacheReadTokens: cached };
  }
  const last = request.turns.findLastIndex((turn) => turn.cacheMark !== null);
  const marked = last < 0 ? 0 : (prefixes[last + 1] ?? 0);
  if (marked < profile.cacheMinimumTokens) return none;
  const isHour = request.turns[last]?.cacheMark === '1h';
  return {
    uncachedInputTokens: total - marked,
    cacheReadTokens: isHit ? marked : 0,
    cacheWrite5mTokens: isHit || isHour ? 0 : marked,
    cacheWrite1hTokens: !isHit && isHour ? marked : 0,
  };
}

/** What is decided about an answer before it is written: it is a refusal, is stopped half-way by a filter, is empty, or calls a tool again and again. */
export type PlannedOutcome =
  | { readonly kind: 'refusal' | 'content_filter' | 'empty' }
  | { readonly kind: 'tool_loop'; readonly steps: number };

interface PlanOptions {
  readonly request: ChatRequest;
  readonly profile: ModelProfile;
  readonly index: AnswerIndex;
  readonly seed: number;
  readonly outcome: PlannedOutcome | null;
}

/** What a task is answered: rightly or wrongly, as the quality of the model has it. */
function taskAnswer(task: Task, { profile, seed }: PlanOptions, salt: string): string {
  const random = seededRandom(seed, salt, 'quality');
  return random.chance(profile.quality[task.difficulty]) ? task.truth : task.wrong(random);
}

/** True when the corpus has the words for what follows this result of a tool. */
function isWritten(known: CorpusTurn | null, result: string): boolean {
  if (known === null) return false;
  return known.isMade !== true || (known.tools ?? []).some((use) => JSON.stringify(use.result) === result);
}

function fullText(options: PlanOptions, question: string, random: SeededRandom): string {
  const { request, index, profile } = options;
  const task = findTask(question);
  const result = task === null ? null : taskAnswer(task, options, saltOf(options));
  const answer = (): string => result ?? index.agent(question)?.answer ?? answerText(index, question, profile.lengthFactor, random);
  switch (request.format.kind) {
    case 'json_object':
      return JSON.stringify(freeJsonObject({ question, answer: answer(), random }));
    case 'json_schema':
      return JSON.stringify(valueForSchema(request.format.schema, { question, answer: answer(), random }));
    case 'text': {
      if (task !== null && result !== null) {
        const text = profile.style === 'terse' ? finalAnswer(result) : `${task.method}\n\n${finalAnswer(result)}`;
        return styleAnswer(text, question, profile.style);
      }
      const last = request.turns.at(-1);
      const repeatsResult = last?.role === 'tool' && index.agent(question) === null && !isWritten(index.find(question), last.text);
      return styleAnswer(repeatsResult ? answerFromToolResult(last.text, question) : answer(), question, profile.style);
    }
  }
}

/** What all randomness of an answer depends on: another version of the model says it in other words. */
function saltOf({ request, profile }: PlanOptions): string {
  return profile.version === '1' ? request.fingerprint : `${request.fingerprint}:${profile.version}`;
}

function planChoice(options: PlanOptions, choice: number, budget: number): PlannedChoice {
  const { request, index, seed, profile, outcome } = options;
  const random = seededRandom(seed, saltOf(options), 'choice', choice);
  const question = questionOf(request);
  if (outcome?.kind === 'empty') return { tokens: [], toolCalls: [], finish: 'stop', stopSequence: null };
  const isRefusal = outcome?.kind === 'refusal' || (outcome === null && random.chance(profile.refusalRate));
  if (isRefusal) {
    const tokens = tokenize(PHRASES[detectLanguage(question)].refusal);
    return { tokens: tokens.slice(0, budget), toolCalls: [], finish: 'refusal', stopSequence: null };
  }
  const known = index.find(question);
  const source = { question, answer: known?.answer ?? question, random };
  const toolCalls =
    outcome?.kind === 'tool_loop'
      ? repeatedToolCall(request, question, outcome.steps, seed)
      : outcome === null
        ? chooseToolCalls(request, index, question, source)
        : [];
  if (toolCalls.length > 0) {
    const needed = toolCalls.reduce((sum, call) => sum + countTokens(call.arguments) + countTokens(call.name), 0);
    return needed > budget
      ? { tokens: [], toolCalls: [], finish: 'length', stopSequence: null }
      : { tokens: [], toolCalls, finish: 'tool_calls', stopSequence: null };
  }
  let text = fullText(options, question, random);
  let finish: FinishReason = 'stop';
  let stopSequence: string | null = null;
  let end = text.length;
  for (const stop of request.stop) {
    const at = stop === '' ? -1 : text.indexOf(stop);
    if (at >= 0 && at < end) [end, stopSequence, finish] = [at, stop, 'stop_sequence'];
  }
  text = text.slice(0, end);
  let tokens = tokenize(text);
  if (tokens.length > budget) [tokens, finish, stopSequence] = [tokens.slice(0, budget), 'length', null];
  if (outcome?.kind === 'content_filter')
    [tokens, finish, stopSequence] = [tokens.slice(0, Math.ceil(tokens.length / 2)), 'content_filter', null];
  return { tokens, toolCalls: [], finish, stopSequence };
}

/** Tokens that a choice has generated (count), tool calls included. */
function generatedTokens(choice: PlannedChoice): number {
  return choice.tokens.length + choice.toolCalls.reduce((sum, call) => sum + countTokens(call.arguments) + countTokens(call.name), 0);
}

/**
 * Decides everything about an answer before a byte is sent: text, tool calls, tokens and times. A pure function of the seed,
 * the request's fingerprint and the model's profile.
 */
export function planAnswer(options: PlanOptions): PlannedAnswer {
  const { request, profile, seed, outcome } = options;
  const salt = saltOf(options);
  const random = seededRandom(seed, salt, 'plan');
  const input = planCaching(request, profile, random);
  const limit = Math.min(request.maxOutputTokens ?? profile.maxOutputTokens, profile.maxOutputTokens);
  const wished =
    outcome?.kind !== 'empty' && (profile.reasoningTokensMean > 0 || request.showsThinking)
      ? Math.round(random.lognormal(0.85, 2.2) * (profile.reasoningTokensMean || 120))
      : 0;
  const thinkingTokens = request.showsThinking && wished > 0 ? tokenize(thinkingText(questionOf(request), wished)) : [];
  const reasoningTokens = Math.min(request.showsThinking ? thinkingTokens.length : wished, limit);
  const choices: [PlannedChoice, ...PlannedChoice[]] = [planChoice(options, 0, limit - reasoningTokens)];
  for (let choice = 1; choice < request.choiceCount; choice++) choices.push(planChoice(options, choice, limit - reasoningTokens));

  const msPerToken = 1_000 / profile.tokensPerSecond;
  const firstTokenMs =
    random.lognormal(Math.max(profile.ttftMedianMs, 0.001), Math.max(profile.ttftP95Ms, profile.ttftMedianMs, 0.001)) +
    ((input.uncachedInputTokens + input.cacheWrite5mTokens + input.cacheWrite1hTokens) / 1_000) * profile.prefillMsPerThousandTokens;
  // Hidden reasoning happens before the first visible token; visible thinking is streamed.
  const ttftMs = firstTokenMs + (request.showsThinking ? 0 : reasoningTokens * msPerToken);
  const gapRandom = seededRandom(seed, salt, 'gaps');
  const gaps: number[] = [];
  const gapMs = (chunk: number): number => {
    while (gaps.length <= chunk) gaps.push(Math.max(0, msPerToken * profile.tokensPerChunk * (1 + profile.jitter * gapRandom.normal())));
    return gaps[chunk] ?? 0;
  };
  const longest = Math.max(...choices.map(generatedTokens)) + (request.showsThinking ? reasoningTokens : 0);
  let durationMs = ttftMs;
  for (let chunk = 0; chunk < Math.ceil(longest / profile.tokensPerChunk) - 1; chunk++) durationMs += gapMs(chunk);
  return {
    choices,
    usage: { ...input, reasoningTokens, outputTokens: choices.reduce((sum, choice) => sum + generatedTokens(choice), reasoningTokens) },
    thinking: thinkingTokens.slice(0, reasoningTokens).join(''),
    ttftMs,
    gapMs,
    durationMs,
    tokensPerChunk: profile.tokensPerChunk,
  };
}

const THOUGHTS = [
  'First I check what is given and what is only assumed.',
  'The direct reading seems right, but the second condition could change the result.',
  'I compare it with the usual case: the numbers agree, so no exception applies.',
  'It is better to name the one uncertain point than to hide it.',
  'The answer should be short, start with the result and give the reason after it.',
] as const;

export function thinkingText(question: string, tokenCount: number): string {
  const asked = question.replace(/\s+/g, ' ').trim().slice(0, 120);
  let text = `The question is: “${asked}”.`;
  for (let line = 0; countTokens(text) < tokenCount && line < 200; line++) text += ` ${THOUGHTS[line % THOUGHTS.length]}`;
  return text;
}
