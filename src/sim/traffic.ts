import OpenAI, { APIConnectionTimeoutError, APIError, APIUserAbortError } from 'openai';
import type { Clock } from '../kernel/clock.ts';
import { PlimsollError } from '../kernel/errors.ts';
import { CORPUS_FEATURES } from './corpus/features.ts';
import { seededRandom } from './seeded-random.ts';
import { drawScenario, type Scenario } from './traffic-scenarios.ts';

export interface TrafficOptions {
  /** Base URL of the OpenAI-shaped API, e.g. `http://127.0.0.1:4000/v1`. */
  readonly baseUrl: string;
  /** A virtual key for each example feature that is to be driven: customer-support, contract-summary, sales-email, code-review. */
  readonly keys: Readonly<Record<string, string>>;
  /** Route or model alias to ask for. */
  readonly model: string;
  /** Mean calls started per second (> 0). */
  readonly rps: number;
  /** Time in which calls are started, milliseconds; running ones are waited for afterwards. */
  readonly durationMs: number;
  readonly seed: number;
  readonly clock: Clock;
  /** Share of the sessions with a fault (fraction); 0.02 when absent. */
  readonly faultRatio?: number;
  /** The duration stands for one day: quiet at its ends, busy in the middle. */
  readonly isDiurnal?: boolean;
  /** Calls at the same time; more are not started but counted as skipped. 500 when absent. */
  readonly maxInFlight?: number;
  /** Called about once a second. */
  readonly onProgress?: (progress: TrafficProgress) => void;
  /** Ends the run: nothing new is started, running calls are aborted. */
  readonly signal?: AbortSignal;
}

export interface TrafficProgress {
  readonly elapsedMs: number;
  readonly started: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly inFlight: number;
}

export interface Quantiles {
  readonly p50: number;
  readonly p95: number;
  readonly count: number;
}

export interface TrafficReport {
  readonly elapsedMs: number;
  readonly wasCancelled: boolean;
  /** Calls; a session of several turns makes several. */
  readonly started: number;
  readonly succeeded: number;
  readonly failed: number;
  /** Left by the client on purpose, or because the run was cancelled. */
  readonly aborted: number;
  /** Arrivals that were not started because too many calls were running. */
  readonly skipped: number;
  readonly streams: number;
  readonly toolCalls: number;
  readonly sessions: number;
  /** Sessions that asked for a fault. */
  readonly faults: number;
  readonly byFeature: Readonly<Record<string, number>>;
  /** Failures by the error's code, else by its class. */
  readonly errors: Readonly<Record<string, number>>;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Milliseconds of successful calls; null without any. */
  readonly durationMs: Quantiles | null;
  /** Milliseconds to the first content of successful streams; null without any. */
  readonly ttftMs: Quantiles | null;
}

const REQUEST_TIMEOUT_MS = 120_000;
const PROGRESS_MS = 1_000;
const SLICE_MS = 200;
const TURN_PAUSE_MEAN_MS = 1_500;

type Message = OpenAI.ChatCompletionMessageParam;

interface Answer {
  readonly text: string;
  readonly toolCalls: readonly { readonly id: string; readonly name: string; readonly arguments: string }[];
}

function quantilesOf(values: readonly number[]): Quantiles | null {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  const at = (quantile: number): number => sorted[Math.min(sorted.length - 1, Math.ceil(quantile * sorted.length) - 1)] ?? 0;
  return { p50: Math.round(at(0.5)), p95: Math.round(at(0.95)), count: sorted.length };
}

function errorName(thrown: unknown): string {
  if (thrown instanceof APIConnectionTimeoutError) return 'client_timeout';
  if (thrown instanceof APIError)
    return thrown.code ?? thrown.type ?? (thrown.status === undefined ? 'connection_error' : `http_${thrown.status}`);
  return thrown instanceof Error ? thrown.name : 'unknown';
}

/** One run: what is counted, and how a single call is made. */
class TrafficRun {
  readonly options: TrafficOptions;
  readonly abort = new AbortController();
  started = 0;
  succeeded = 0;
  failed = 0;
  aborted = 0;
  streams = 0;
  toolCalls = 0;
  inputTokens = 0;
  outputTokens = 0;
  inFlight = 0;
  readonly durations: number[] = [];
  readonly ttfts: number[] = [];
  readonly errors: Record<string, number> = {};
  readonly byFeature: Record<string, number> = {};
  readonly #clients: ReadonlyMap<string, OpenAI>;

  constructor(options: TrafficOptions) {
    this.options = options;
    this.#clients = new Map(
      Object.entries(options.keys).map(([feature, apiKey]) => [
        feature,
        new OpenAI({ apiKey, baseURL: options.baseUrl, maxRetries: 0, timeout: REQUEST_TIMEOUT_MS, logLevel: 'off' }),
      ]),
    );
  }

  /** Plays a session turn by turn; ends at the first failure, as people do. */
  async play(scenario: Scenario, session: number): Promise<void> {
    const { clock, seed } = this.options;
    const random = seededRandom(seed, 'pause', session);
    const messages: Message[] = [{ role: 'system', content: scenario.feature.systemPrompt }];
    for (const [position, turn] of scenario.conversation.turns.entries()) {
      if (position > 0) await sleepUnlessAborted(clock, random.exponential(TURN_PAUSE_MEAN_MS), this.abort.signal);
      if (this.abort.signal.aborted) return;
      const magic = position === 0 && scenario.fault !== null ? `\n[[sim:fault=${scenario.fault}]]` : '';
      messages.push({ role: 'user', content: `${turn.question}${magic}` });
      const first = await this.#call(scenario, messages);
      if (first === null) return;
      let answer: Answer | null = first;
      if (first.toolCalls.length > 0) {
        messages.push({
          role: 'assistant',
          tool_calls: first.toolCalls.map(({ id, name, arguments: text }) => ({
            id,
            type: 'function',
            function: { name, arguments: text },
          })),
        });
        for (const [index, call] of first.toolCalls.entries())
          messages.push({
            role: 'tool',
            tool_call_id: call.id,
            content: JSON.stringify(turn.tools?.[index]?.result ?? { status: 'nothing found' }),
          });
        answer = await this.#call(scenario, messages);
        if (answer === null) return;
      }
      messages.push({ role: 'assistant', content: answer.text });
    }
  }

  /** @returns null when the call failed or was left */
  async #call(scenario: Scenario, messages: readonly Message[]): Promise<Answer | null> {
    const { clock } = this.options;
    const { feature } = scenario;
    const startedMs = clock.monotonicMs();
    this.started++;
    this.inFlight++;
    this.byFeature[feature.name] = (this.byFeature[feature.name] ?? 0) + 1;
    if (scenario.isStream) this.streams++;
    try {
      const answer = scenario.isStream ? await this.#stream(scenario, messages, startedMs) : await this.#whole(scenario, messages);
      if (answer === null) {
        this.aborted++;
        return null;
      }
      this.succeeded++;
      this.toolCalls += answer.toolCalls.length;
      this.durations.push(clock.monotonicMs() - startedMs);
      return answer;
    } catch (thrown) {
      if (thrown instanceof APIUserAbortError || this.abort.signal.aborted) this.aborted++;
      else {
        this.failed++;
        const name = errorName(thrown);
        this.errors[name] = (this.errors[name] ?? 0) + 1;
      }
      return null;
    } finally {
      this.inFlight--;
    }
  }

  #request(
    scenario: Scenario,
    messages: readonly Message[],
  ): { client: OpenAI; body: Omit<OpenAI.ChatCompletionCreateParamsNonStreaming, 'stream'>; options: OpenAI.RequestOptions } {
    const { feature, user, session } = scenario;
    const client = this.#clients.get(feature.name);
    if (client === undefined)
      throw new PlimsollError('invalid_argument', `There is no key for the feature "${feature.name}"`, {
        details: { feature: feature.name },
      });
    const tools = feature.tools.map((tool) => ({
      type: 'function' as const,
      function: { name: tool.name, description: tool.description, parameters: { ...tool.parameters } },
    }));
    return {
      client,
      body: { model: this.options.model, messages: [...messages], temperature: 0.3, ...(tools.length > 0 ? { tools } : {}) },
      options: { headers: { 'x-plimsoll-session': session, 'x-plimsoll-user': user }, signal: this.abort.signal },
    };
  }

  async #whole(scenario: Scenario, messages: readonly Message[]): Promise<Answer> {
    const { client, body, options } = this.#request(scenario, messages);
    const completion = await client.chat.completions.create(body, options);
    this.inputTokens += completion.usage?.prompt_tokens ?? 0;
    this.outputTokens += completion.usage?.completion_tokens ?? 0;
    const message = completion.choices[0]?.message;
    const toolCalls = (message?.tool_calls ?? []).flatMap((call) =>
      call.type === 'function' ? [{ id: call.id, name: call.function.name, arguments: call.function.arguments }] : [],
    );
    return { text: message?.content ?? message?.refusal ?? '', toolCalls };
  }

  async #stream(scenario: Scenario, messages: readonly Message[], startedMs: number): Promise<Answer | null> {
    const { client, body, options } = this.#request(scenario, messages);
    const stream = await client.chat.completions.create({ ...body, stream: true, stream_options: { include_usage: true } }, options);
    let text = '';
    let ttftMs: number | null = null;
    const toolCalls: { id: string; name: string; arguments: string }[] = [];
    for await (const chunk of stream) {
      this.inputTokens += chunk.usage?.prompt_tokens ?? 0;
      this.outputTokens += chunk.usage?.completion_tokens ?? 0;
      const delta = chunk.choices[0]?.delta;
      for (const part of delta?.tool_calls ?? []) {
        toolCalls[part.index] ??= { id: part.id ?? '', name: part.function?.name ?? '', arguments: '' };
        const call = toolCalls[part.index];
        if (call) call.arguments += part.function?.arguments ?? '';
      }
      const piece = delta?.content ?? delta?.refusal ?? '';
      text += piece;
      if (ttftMs === null && (piece !== '' || delta?.tool_calls !== undefined)) ttftMs = this.options.clock.monotonicMs() - startedMs;
      // Leaving the loop cancels the request.
      if (scenario.leavesEarly && piece !== '') return null;
    }
    if (this.abort.signal.aborted) return null;
    if (ttftMs !== null) this.ttfts.push(ttftMs);
    return { text, toolCalls };
  }
}

/** Rate at a part of the run, relative to the mean: a bell over the day for diurnal runs, else 1. */
function rateFactor(options: TrafficOptions, elapsedMs: number): number {
  return options.isDiurnal ? 0.15 + 1.7 * Math.sin(Math.PI * Math.min(1, elapsedMs / options.durationMs)) ** 2 : 1;
}

/** Calls that an average session makes when nothing fails (count). */
function callsPerSession(features: readonly string[]): number {
  const conversations = CORPUS_FEATURES.filter((feature) => features.includes(feature.name)).flatMap((feature) => feature.conversations);
  const calls = conversations.reduce(
    (sum, { turns }) => sum + turns.reduce((count, turn) => count + (turn.tools === undefined ? 1 : 2), 0),
    0,
  );
  return calls / Math.max(1, conversations.length);
}

/** Sleeps in slices, so that a cancelled run ends soon. Unlike timers of the clock, its sleeps keep the process alive between two calls. */
async function sleepUnlessAborted(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  const untilMs = clock.monotonicMs() + delayMs;
  for (;;) {
    const restMs = untilMs - clock.monotonicMs();
    if (restMs <= 0 || signal.aborted) return;
    await clock.sleep(Math.min(restMs, SLICE_MS));
  }
}

/**
 * Drives the example features through a gateway with the official `openai` client: sessions arrive at random (Poisson), some stream, some
 * use tools, some people leave early, some calls ask for a fault.
 * @throws PlimsollError `invalid_argument` when no key belongs to an example feature
 */
export async function runTraffic(options: TrafficOptions): Promise<TrafficReport> {
  const { clock, durationMs, rps, seed, signal, onProgress } = options;
  const features = CORPUS_FEATURES.map((feature) => feature.name).filter((name) => options.keys[name] !== undefined);
  if (features.length === 0 || !(rps > 0))
    throw new PlimsollError(
      'invalid_argument',
      `Traffic needs a rate above 0 and a key for one of: ${CORPUS_FEATURES.map((feature) => feature.name).join(', ')}`,
      { details: { rps } },
    );
  const run = new TrafficRun(options);
  const cancel = (): void => run.abort.abort();
  if (signal?.aborted) cancel();
  signal?.addEventListener('abort', cancel, { once: true });
  const random = seededRandom(seed, 'arrivals');
  const startedMs = clock.monotonicMs();
  const elapsedMs = (): number => clock.monotonicMs() - startedMs;
  const meanGapMs = (1_000 / rps) * callsPerSession(features);
  const running = new Set<Promise<void>>();
  let [sessions, skipped, faults] = [0, 0, 0];
  let isOver = false;

  const report = async (): Promise<void> => {
    while (!isOver && !run.abort.signal.aborted) {
      await sleepUnlessAborted(clock, PROGRESS_MS, run.abort.signal);
      if (!isOver)
        onProgress?.({
          elapsedMs: elapsedMs(),
          started: run.started,
          succeeded: run.succeeded,
          failed: run.failed,
          inFlight: run.inFlight,
        });
    }
  };
  const progress = onProgress === undefined ? Promise.resolve() : report();

  let dueMs = 0;
  for (;;) {
    dueMs += random.exponential(meanGapMs / rateFactor(options, dueMs));
    if (dueMs >= durationMs) break;
    if (dueMs > elapsedMs()) await sleepUnlessAborted(clock, dueMs - elapsedMs(), run.abort.signal);
    if (run.abort.signal.aborted) break;
    const scenario = drawScenario(features, options.faultRatio ?? 0.02, random);
    if (run.inFlight >= (options.maxInFlight ?? 500)) {
      skipped++;
      continue;
    }
    sessions++;
    if (scenario.fault !== null) faults++;
    const session = run.play(scenario, sessions);
    running.add(session);
    void session.finally(() => running.delete(session));
  }
  await Promise.all(running);
  isOver = true;
  const wasCancelled = run.abort.signal.aborted;
  cancel(); // wakes the progress loop; nothing else is left
  await progress;
  signal?.removeEventListener('abort', cancel);
  const { started, succeeded, failed, aborted, streams, toolCalls, byFeature, errors, inputTokens, outputTokens, durations, ttfts } = run;
  return {
    elapsedMs: Math.round(elapsedMs()),
    wasCancelled,
    started,
    succeeded,
    failed,
    aborted,
    skipped,
    streams,
    toolCalls,
    sessions,
    faults,
    byFeature,
    errors,
    inputTokens,
    outputTokens,
    durationMs: quantilesOf(durations),
    ttftMs: quantilesOf(ttfts),
  };
}
