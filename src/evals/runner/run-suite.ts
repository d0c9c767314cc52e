import type { Clock } from '../../kernel/clock.ts';
import { type ErrorCode, PlimsollError, toPlimsollError } from '../../kernel/errors.ts';
import type { PicoUsd } from '../../kernel/money.ts';
import type { JsonValue, Message, ScoringTools, Subject, ToolCall } from '../scorer.ts';
import type { Suite } from '../suite.ts';
import { AdaptiveConcurrency } from './adaptive-concurrency.ts';
import type { ChatAnswer, ModelAnswer, ModelCaller } from './gateway-caller.ts';
import { gatewayTools } from './gateway-tools.ts';
import type { ResultRow } from './result-row.ts';
import { withRetries } from './retrying.ts';
import type { RunWriter } from './run-directory.ts';
import { type RunItem, runItems } from './run-plan.ts';
import { type ScoreAssertion, scoreCase, type TransformOutput } from './score-case.ts';

/** All calls that follow would end the same way. */
const ENDS_RUN: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['unauthenticated', 'permission_denied', 'budget_exceeded']);
const MOST_CONCURRENT = 64;

export interface RunProgress {
  readonly done: number;
  readonly total: number;
  readonly passed: number;
  readonly failed: number;
  readonly errors: number;
  readonly spentPicoUsd: PicoUsd;
  readonly judgePicoUsd: PicoUsd;
  readonly concurrency: number;
}

export interface RunSettings {
  readonly id: string;
  readonly suite: Suite;
  readonly total: number;
  /** Items that an earlier process has finished, by number, and what they cost. */
  readonly finished: { readonly items: Uint8Array; readonly progress: Omit<RunProgress, 'concurrency' | 'total'> };
  readonly caller: ModelCaller;
  readonly score: ScoreAssertion;
  readonly transform: TransformOutput;
  readonly embedder: string | null;
  readonly writer: Pick<RunWriter, 'append'>;
  readonly clock: Clock;
  /** In [0, 1): jitter of retries. */
  random(): number;
  readonly signal: AbortSignal;
  /** No call begins that could take what is spent beyond it; null = no ceiling. */
  readonly maxCostPicoUsd: PicoUsd | null;
  /** Expected cost of the dearest call, until one was seen. */
  readonly callPicoUsd: PicoUsd;
  /** The first repeat may be answered by the feature's cache. */
  readonly usesCache: boolean;
  readonly attempts: number;
  report(progress: RunProgress): void;
}

export interface RunEnd {
  /** Why it ended before its last item; null = it did not. */
  readonly stopped: { readonly reason: string; readonly code: 'interrupted' | 'cost' | ErrorCode } | null;
  readonly progress: RunProgress;
}

/** Runs what is left of the matrix. Resolves when nothing is in flight any more; whatever happened, what was answered is with the writer. */
export class SuiteRun {
  readonly #settings: RunSettings;
  readonly #limiter: AdaptiveConcurrency;
  readonly #items: Generator<RunItem>;
  #inFlight = 0;
  #dearestPicoUsd: PicoUsd;
  #stopped: RunEnd['stopped'] = null;
  #done: number;
  #passed: number;
  #failed: number;
  #errors: number;
  #spent: PicoUsd;
  #judge: PicoUsd;

  constructor(settings: RunSettings) {
    const { suite, finished } = settings;
    this.#settings = settings;
    const most = Math.min(MOST_CONCURRENT, suite.delayMs > 0 ? 1 : (suite.concurrency ?? MOST_CONCURRENT));
    this.#limiter = new AdaptiveConcurrency(Math.max(1, most));
    this.#items = runItems(suite);
    this.#dearestPicoUsd = settings.callPicoUsd;
    ({ done: this.#done, passed: this.#passed, failed: this.#failed, errors: this.#errors } = finished.progress);
    this.#spent = finished.progress.spentPicoUsd;
    this.#judge = finished.progress.judgePicoUsd;
  }

  get progress(): RunProgress {
    return {
      done: this.#done,
      total: this.#settings.total,
      passed: this.#passed,
      failed: this.#failed,
      errors: this.#errors,
      spentPicoUsd: this.#spent,
      judgePicoUsd: this.#judge,
      concurrency: this.#limiter.limit,
    };
  }

  async run(): Promise<RunEnd> {
    const { signal } = this.#settings;
    let wake: () => void = () => {};
    let failure: { readonly error: unknown } | null = null;
    for (;;) {
      if (signal.aborted) this.#stopped ??= { code: 'interrupted', reason: 'Stopped from outside.' };
      while (this.#stopped === null && failure === null && this.#inFlight < this.#limiter.limit) {
        if (!this.#mayStart()) break;
        const item = this.#next();
        if (item === null) break;
        this.#inFlight++;
        void this.#work(item)
          .catch((error: unknown) => {
            failure = { error };
          })
          .finally(() => {
            this.#inFlight--;
            wake();
          });
      }
      if (this.#inFlight === 0) break;
      // Nothing has ended since the check: endings are told between turns only.
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
      this.#settings.report(this.progress);
    }
    // Only assigned inside a callback, which narrowing does not see.
    const ended = failure as { readonly error: unknown } | null;
    if (ended !== null) throw ended.error;
    return { stopped: this.#stopped, progress: this.progress };
  }

  #next(): RunItem | null {
    for (let { value, done } = this.#items.next(); done !== true; { value, done } = this.#items.next())
      if (value !== undefined && this.#settings.finished.items[value.n] !== 1) return value;
    return null;
  }

  /** Calls in flight are counted at the dearest that was seen. */
  #mayStart(): boolean {
    const { maxCostPicoUsd } = this.#settings;
    if (maxCostPicoUsd === null || this.#spent + this.#judge + BigInt(this.#inFlight + 1) * this.#dearestPicoUsd <= maxCostPicoUsd)
      return true;
    if (this.#inFlight === 0) this.#stopped = { code: 'cost', reason: 'The next call could pass the ceiling of --max-cost.' };
    return false;
  }

  async #work(item: RunItem): Promise<void> {
    const { writer, suite, clock } = this.#settings;
    const row = await this.#rowOf(item);
    // Not answered since the run ends: the next process does it.
    if (row === null) return;
    this.#done++;
    if (row.state === 'passed') this.#passed++;
    else if (row.state === 'failed') this.#failed++;
    else if (row.state === 'error') this.#errors++;
    await writer.append(row);
    if (suite.delayMs > 0) await clock.sleep(suite.delayMs);
  }

  async #rowOf(item: RunItem): Promise<ResultRow | null> {
    const { suite, id } = this.#settings;
    const prompt = suite.prompts[item.prompt];
    const target = suite.targets[item.target];
    if (prompt === undefined || target === undefined) throw new PlimsollError('internal', `No prompt or target for item ${item.n}`);
    const { prefix, suffix, variables, output } = item.case;
    const base = baseOf(item);
    let answered: Answered;
    let paid: PicoUsd | null = null;
    try {
      const rendered = prompt.render(variables);
      const text = `${prefix}${rendered.text}${suffix}`;
      const messages = withAffixes(rendered.messages, prefix, suffix);
      if (output !== null) answered = { ...NOT_CALLED, messages, text: output };
      else if (target.model === null) answered = { ...NOT_CALLED, messages, text };
      else {
        const body = { ...target.parameters, model: target.model, messages: messages as unknown as JsonValue }; // JSON by its type
        const called = await this.#call(body, `eval-${id}-${item.n}`, item.repeat === 0 && this.#settings.usesCache);
        answered = answeredOf(called.value, called.attempts, messages);
      }
      // An answer that was paid for is counted, whatever becomes of it.
      this.#count(answered.costPicoUsd);
      paid = answered.costPicoUsd;
      const { transform: code } = item.case;
      if (code !== null)
        answered = {
          ...answered,
          text: await this.#settings.transform(code, answered.text, { vars: variables as JsonValue, prompt: text }),
        };
    } catch (thrown) {
      const error = toPlimsollError(thrown);
      if (error.code === 'internal') throw thrown;
      if (ENDS_RUN.has(error.code)) {
        this.#stopped ??= { code: error.code, reason: error.message };
        return null;
      }
      if (this.#settings.signal.aborted && error.retryable) return null;
      return {
        ...base,
        state: 'error',
        score: null,
        output: null,
        assertions: [],
        latencyMs: null,
        costPicoUsd: paid === null ? null : `${paid}`,
        error: { code: error.code, message: error.message.slice(0, 500) },
      };
    }
    const cost = answered.costPicoUsd;
    let judgeCost = 0n;
    const toolsFor = (judge: string | null): ScoringTools =>
      gatewayTools(
        this.#settings.caller,
        { judge: judge ?? suite.judge, embedder: this.#settings.embedder },
        `eval-${id}-${item.n}`,
        async (ask) => (await this.#retried(ask)).value,
        (spent) => {
          judgeCost += spent ?? 0n;
          this.#judge += spent ?? 0n;
        },
      );
    const subject = subjectOf(item, answered);
    const verdict = await scoreCase(item.case, subject, toolsFor, this.#settings.score, this.#settings.transform);
    return {
      ...base,
      state: verdict.state,
      score: verdict.score,
      output: answered.text,
      ...(answered.toolCalls.length > 0 ? { toolCalls: answered.toolCalls } : {}),
      assertions: verdict.assertions,
      ...(Object.keys(verdict.metrics).length > 0 ? { metrics: verdict.metrics } : {}),
      latencyMs: answered.latencyMs === null ? null : Math.round(answered.latencyMs * 10) / 10,
      costPicoUsd: cost === null ? null : `${cost}`,
      ...(judgeCost > 0n ? { judgeCostPicoUsd: `${judgeCost}` } : {}),
      ...answered.kept,
    };
  }

  #call(body: Readonly<Record<string, JsonValue>>, key: string, mayUseCache: boolean): Promise<{ value: ModelAnswer; attempts: number }> {
    return this.#retried(async () => {
      const answer = await this.#settings.caller.chat(body, key, { mayUseCache });
      this.#limiter.succeeded(answer.latencyMs);
      return answer;
    });
  }

  #retried<T>(ask: () => Promise<T>): Promise<{ value: T; attempts: number }> {
    const { clock, signal, attempts } = this.#settings;
    return withRetries(ask, {
      attempts,
      clock,
      signal,
      random: () => this.#settings.random(),
      failed: ({ status }, startedAtMs) => {
        if (status === 429 || status === 503) this.#limiter.refused(startedAtMs, clock.monotonicMs());
      },
    });
  }

  #count(cost: PicoUsd | null): void {
    if (cost === null) return;
    this.#spent += cost;
    if (cost > this.#dearestPicoUsd) this.#dearestPicoUsd = cost;
  }
}

interface Answered {
  readonly messages: readonly Message[];
  readonly text: string;
  readonly toolCalls: readonly ToolCall[];
  readonly finishReason: string | null;
  readonly logProbabilities: readonly number[] | null;
  readonly latencyMs: number | null;
  readonly costPicoUsd: PicoUsd | null;
  readonly isCached: boolean;
  readonly model: string | null;
  /** Members of the row. */
  readonly kept: Partial<ResultRow>;
}

const NOT_CALLED: Omit<Answered, 'messages' | 'text'> = {
  toolCalls: [],
  finishReason: null,
  logProbabilities: null,
  latencyMs: 0,
  costPicoUsd: 0n,
  isCached: false,
  model: null,
  kept: {},
};

function answeredOf(called: ModelAnswer, attempts: number, messages: readonly Message[]): Answered {
  const { answer, traceId, model, isCached, isReplayed } = called;
  const [choice] = answer.choices;
  const toolCalls = (choice?.message.tool_calls ?? []).map(({ function: { name, arguments: given } }) => ({
    name,
    arguments: parsed(given ?? ''),
  }));
  const { prompt_tokens: inputTokens, completion_tokens: outputTokens } = answer.usage ?? {};
  return {
    messages,
    text: textOf(choice, toolCalls),
    toolCalls,
    finishReason: choice?.finish_reason ?? null,
    logProbabilities: choice?.logprobs?.content?.map(({ logprob }) => logprob) ?? null,
    // The time of an answer that was given again is nobody's.
    latencyMs: isReplayed || isCached ? null : called.latencyMs,
    costPicoUsd: called.costPicoUsd,
    isCached: isCached || isReplayed,
    model,
    kept: {
      ...(typeof inputTokens === 'number' ? { inputTokens } : {}),
      ...(typeof outputTokens === 'number' ? { outputTokens } : {}),
      ...(traceId === null ? {} : { traceId }),
      ...(model === null ? {} : { model }),
      ...(isCached ? { isCached } : {}),
      ...(isReplayed ? { isReplayed } : {}),
      ...(attempts > 1 ? { attempts } : {}),
    },
  };
}

function textOf(choice: ChatAnswer['choices'][number] | undefined, toolCalls: readonly ToolCall[]): string {
  const content = choice?.message.content;
  const text = typeof content === 'string' ? content : (content ?? []).map((part) => part.text ?? '').join('');
  if (text !== '' || toolCalls.length === 0) return text;
  return JSON.stringify((choice?.message.tool_calls ?? []).map((call) => ({ type: 'function', function: call.function })));
}

function parsed(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue; // JSON
  } catch {
    return text;
  }
}

function withAffixes(messages: readonly Message[], prefix: string, suffix: string): readonly Message[] {
  if (prefix === '' && suffix === '') return messages;
  const last = messages.findLastIndex(({ role, content }) => role === 'user' && typeof content === 'string');
  return messages.map((message, index) => (index === last ? { ...message, content: `${prefix}${message.content}${suffix}` } : message));
}

function baseOf({
  n,
  case: entry,
  prompt,
  target,
  repeat,
}: RunItem): Pick<ResultRow, 'n' | 'case' | 'prompt' | 'target' | 'repeat' | 'slices' | 'cluster' | 'description'> {
  const { id, slices, cluster, description } = entry;
  return {
    n,
    case: id,
    prompt,
    target,
    repeat,
    ...(Object.keys(slices).length > 0 ? { slices } : {}),
    ...(cluster === null ? {} : { cluster }),
    ...(description === null ? {} : { description }),
  };
}

function subjectOf({ case: entry }: RunItem, answered: Answered): Subject {
  const { variables, reference, contexts } = entry;
  const question = [variables.query, variables.question, answered.messages.findLast(({ role }) => role === 'user')?.content].find(
    (one) => typeof one === 'string',
  );
  return {
    question: typeof question === 'string' ? question : '',
    messages: answered.messages,
    // Values of a suite are JSON; a template's could also be undefined, which none of these is.
    variables: variables as Readonly<Record<string, JsonValue>>,
    output: answered.text,
    toolCalls: answered.toolCalls,
    finishReason: answered.finishReason,
    reference,
    contexts,
    contextIds: null,
    referenceContexts: null,
    referenceContextIds: null,
    latencyMs: answered.latencyMs,
    costUsd: answered.costPicoUsd === null ? null : Number(answered.costPicoUsd) / 1e12,
    isCached: answered.isCached,
    logProbabilities: answered.logProbabilities,
    spans: null,
    model: answered.model,
  };
}
