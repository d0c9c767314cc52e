import OpenAI, { APIConnectionTimeoutError, APIError, APIUserAbortError } from 'openai';
import type { Clock } from '../kernel/clock.ts';
import { PlimsollError } from '../kernel/errors.ts';
import { CORPUS_FEATURES } from './corpus/features.ts';
import { seededRandom } from './seeded-random.ts';
import { type Answer, type CallOrder, callChat, callEmbeddings, callResponses, type Message } from './traffic-calls.ts';
import { callMessages, MessagesError } from './traffic-messages.ts';
import {
  callsPerSession,
  drawScenario,
  type Scenario,
  type ScenarioOptions,
  type TrafficKind,
  type TrafficMix,
  toolResult,
  USUAL_MIX,
} from './traffic-scenarios.ts';

export interface TrafficOptions {
  /** Base URL of the OpenAI-shaped API, e.g. `http://127.0.0.1:4000/v1`. */
  readonly baseUrl: string;
  /** A virtual key for each example feature that is to be driven: customer-support, contract-summary, sales-email, code-review. */
  readonly keys: Readonly<Record<string, string>>;
  /** Route or model alias to ask for. */
  readonly model: string;
  /** Route or model alias for embeddings; as `model` when absent. */
  readonly embeddingModel?: string;
  /** Mean calls started per second (> 0). */
  readonly rps: number;
  /** Time in which calls are started, milliseconds. Running calls are waited for afterwards, half as long again, at least 2 s and at most 10 s. */
  readonly durationMs: number;
  readonly seed: number;
  readonly clock: Clock;
  /** Share of the sessions with a fault (fraction); 0.02 when absent. */
  readonly faultRatio?: number;
  /** Relative shares of what sessions do. */
  readonly mix?: TrafficMix;
  /** Different users (count); 120 when absent. */
  readonly users?: number;
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
  /** Left by the client: on purpose, because the run was cancelled, or because it was over. */
  readonly aborted: number;
  /** Arrivals that were not started because too many calls were running. */
  readonly skipped: number;
  readonly streams: number;
  readonly toolCalls: number;
  readonly sessions: number;
  /** Sessions that asked for a fault, or whose agent runs away. */
  readonly faults: number;
  readonly byFeature: Readonly<Record<string, number>>;
  readonly byKind: Readonly<Partial<Record<TrafficKind, number>>>;
  /** Kinds whose path the gateway does not serve (404): left out after the first call. */
  readonly unserved: readonly TrafficKind[];
  /** Calls of those kinds (count); they are neither successes nor failures. */
  readonly notServed: number;
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
const USUAL_USERS = 120;
/** An agent that has not come to an end is given up. */
const MOST_AGENT_STEPS = 12;

function quantilesOf(values: readonly number[]): Quantiles | null {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  const at = (quantile: number): number => sorted[Math.min(sorted.length - 1, Math.ceil(quantile * sorted.length) - 1)] ?? 0;
  return { p50: Math.round(at(0.5)), p95: Math.round(at(0.95)), count: sorted.length };
}

function errorName(thrown: unknown): string {
  if (thrown instanceof APIConnectionTimeoutError) return 'client_timeout';
  if (thrown instanceof MessagesError) return thrown.type;
  if (thrown instanceof APIError)
    return thrown.code ?? thrown.type ?? (thrown.status === undefined ? 'connection_error' : `http_${thrown.status}`);
  return thrown instanceof Error ? thrown.name : 'unknown';
}

/** True when the gateway has no such path. Chat is always there. */
function isUnserved(kind: TrafficKind, thrown: unknown): boolean {
  const hasOwnPath = kind === 'responses' || kind === 'messages' || kind === 'embed';
  return hasOwnPath && (thrown instanceof APIError || thrown instanceof MessagesError) && thrown.status === 404;
}

/** One run: what is counted, and how sessions are played. */
class TrafficRun {
  readonly options: TrafficOptions;
  /** Ends running calls. */
  readonly abort = new AbortController();
  /** Ends pauses between turns: no call is started any more. */
  readonly over = new AbortController();
  started = 0;
  succeeded = 0;
  failed = 0;
  aborted = 0;
  notServed = 0;
  streams = 0;
  toolCalls = 0;
  inputTokens = 0;
  outputTokens = 0;
  inFlight = 0;
  readonly durations: number[] = [];
  readonly ttfts: number[] = [];
  readonly errors: Record<string, number> = {};
  readonly byFeature: Record<string, number> = {};
  readonly byKind: Partial<Record<TrafficKind, number>> = {};
  readonly unserved = new Set<TrafficKind>();
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

  /** Plays a session turn by turn; ends at the first failure, as people do, and when the run is over. */
  async play(scenario: Scenario, session: number): Promise<void> {
    const { clock, seed } = this.options;
    const random = seededRandom(seed, 'pause', session);
    const messages: Message[] = [{ role: 'system', text: scenario.systemPrompt }];
    for (const [position, turn] of scenario.conversation.turns.entries()) {
      if (position > 0) await sleepUnlessAborted(clock, random.exponential(TURN_PAUSE_MEAN_MS), this.over.signal);
      const magic = position === 0 && scenario.fault !== null ? `\n[[sim:fault=${scenario.fault}]]` : '';
      messages.push({ role: 'user', text: `${turn.question}${magic}` });
      const mostSteps = scenario.agent === null ? 2 : MOST_AGENT_STEPS;
      for (let step = 0; step < mostSteps; step++) {
        if (this.over.signal.aborted) return;
        const answer = await this.#call(scenario, messages);
        if (answer === null) return;
        messages.push({ role: 'assistant', text: answer.text, toolCalls: answer.toolCalls });
        if (answer.toolCalls.length === 0) break;
        for (const [index, call] of answer.toolCalls.entries())
          messages.push({ role: 'tool', callId: call.id, text: toolResult(scenario, position, call.name, call.arguments, index) });
      }
      if (scenario.kind === 'embed') return;
    }
  }

  /** @returns null when the call failed or was left */
  async #call(scenario: Scenario, messages: readonly Message[]): Promise<Answer | null> {
    const { clock } = this.options;
    const { feature, kind } = scenario;
    const startedMs = clock.monotonicMs();
    this.started++;
    this.inFlight++;
    this.byFeature[feature.name] = (this.byFeature[feature.name] ?? 0) + 1;
    this.byKind[kind] = (this.byKind[kind] ?? 0) + 1;
    if (scenario.isStream) this.streams++;
    try {
      const answer = await this.#ask(scenario, messages);
      this.inputTokens += answer.inputTokens;
      this.outputTokens += answer.outputTokens;
      if (answer.wasLeft || this.abort.signal.aborted) {
        this.aborted++;
        return null;
      }
      this.succeeded++;
      this.toolCalls += answer.toolCalls.length;
      this.durations.push(clock.monotonicMs() - startedMs);
      if (answer.firstContentMs !== null) this.ttfts.push(answer.firstContentMs - startedMs);
      return answer;
    } catch (thrown) {
      if (thrown instanceof APIUserAbortError || this.abort.signal.aborted) this.aborted++;
      else if (isUnserved(kind, thrown)) {
        this.unserved.add(kind);
        this.notServed++;
      } else {
        this.failed++;
        const name = errorName(thrown);
        this.errors[name] = (this.errors[name] ?? 0) + 1;
      }
      return null;
    } finally {
      this.inFlight--;
    }
  }

  #ask(scenario: Scenario, messages: readonly Message[]): Promise<Answer> {
    const { feature, kind, tools, isStream, leavesEarly, caller } = scenario;
    const { model, embeddingModel, baseUrl, keys, clock } = this.options;
    const client = this.#clients.get(feature.name);
    if (client === undefined)
      throw new PlimsollError('invalid_argument', `There is no key for the feature "${feature.name}"`, {
        details: { feature: feature.name },
      });
    const { signal } = this.abort;
    const order: CallOrder = { model, messages, tools, isStream, leavesEarly, caller, signal, nowMs: () => clock.monotonicMs() };
    switch (kind) {
      case 'responses':
        return callResponses(client, order);
      case 'messages':
        return callMessages(baseUrl, keys[feature.name] ?? '', order);
      case 'embed':
        return callEmbeddings(client, { ...order, model: embeddingModel ?? model });
      case 'chat':
      case 'agent':
      case 'faq':
      case 'task':
        return callChat(client, order);
    }
  }
}

/** Rate at a part of the run, relative to the mean: a bell over the day for diurnal runs, else 1. */
function rateFactor(options: TrafficOptions, elapsedMs: number): number {
  return options.isDiurnal ? 0.15 + 1.7 * Math.sin(Math.PI * Math.min(1, elapsedMs / options.durationMs)) ** 2 : 1;
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

/** How long running calls are waited for when the run is over. */
function drainMs({ durationMs }: TrafficOptions): number {
  return Math.min(10_000, Math.max(2_000, durationMs / 2));
}

/**
 * Drives the example features through a gateway: sessions arrive at random (Poisson) and play conversations, agents and single questions through
 * the OpenAI and Anthropic APIs; some stream, some use tools, some people leave early, some calls ask for a fault.
 * @throws PlimsollError `invalid_argument` when no key belongs to an example feature, or the mix is empty
 */
export async function runTraffic(options: TrafficOptions): Promise<TrafficReport> {
  const { clock, durationMs, rps, seed, signal, onProgress, faultRatio = 0.02, mix = USUAL_MIX, users = USUAL_USERS } = options;
  const features = CORPUS_FEATURES.map((feature) => feature.name).filter((name) => options.keys[name] !== undefined);
  if (features.length === 0 || !(rps > 0) || Object.values(mix).every((share) => share === 0))
    throw new PlimsollError(
      'invalid_argument',
      `Traffic needs a rate above 0, a mix and a key for one of: ${CORPUS_FEATURES.map((feature) => feature.name).join(', ')}`,
      { details: { rps } },
    );
  const run = new TrafficRun(options);
  const cancel = (): void => {
    run.over.abort();
    run.abort.abort();
  };
  if (signal?.aborted) cancel();
  signal?.addEventListener('abort', cancel, { once: true });
  const random = seededRandom(seed, 'arrivals');
  const startedMs = clock.monotonicMs();
  const elapsedMs = (): number => clock.monotonicMs() - startedMs;
  const meanGapMs = (1_000 / rps) * callsPerSession({ features, mix });
  const running = new Set<Promise<void>>();
  let [sessions, skipped, faults] = [0, 0, 0];
  let isDone = false;

  const report = async (): Promise<void> => {
    while (!isDone) {
      await sleepUnlessAborted(clock, PROGRESS_MS, run.abort.signal);
      const { started, succeeded, failed, inFlight } = run;
      if (!isDone) onProgress?.({ elapsedMs: elapsedMs(), started, succeeded, failed, inFlight });
      if (run.abort.signal.aborted) return;
    }
  };
  const progress = onProgress === undefined ? Promise.resolve() : report();

  let dueMs = 0;
  for (;;) {
    dueMs += random.exponential(meanGapMs / rateFactor(options, dueMs));
    const untilMs = Math.min(dueMs, durationMs);
    if (untilMs > elapsedMs()) await sleepUnlessAborted(clock, untilMs - elapsedMs(), run.over.signal);
    if (dueMs >= durationMs || run.over.signal.aborted) break;
    const open: ScenarioOptions = { features, faultRatio, mix: servedMix(mix, run.unserved), users };
    const scenario = drawScenario(open, random);
    if (run.inFlight >= (options.maxInFlight ?? 500)) {
      skipped++;
      continue;
    }
    sessions++;
    if (scenario.fault !== null || scenario.agent?.answer === null) faults++;
    const session = run.play(scenario, sessions);
    running.add(session);
    void session.finally(() => running.delete(session));
  }
  run.over.abort();
  await drain(run, running, drainMs(options), clock);
  isDone = true;
  cancel(); // wakes the progress loop; nothing else is left
  await progress;
  signal?.removeEventListener('abort', cancel);
  const {
    started,
    succeeded,
    failed,
    aborted,
    streams,
    toolCalls,
    byFeature,
    byKind,
    errors,
    inputTokens,
    outputTokens,
    durations,
    ttfts,
  } = run;
  return {
    elapsedMs: Math.round(elapsedMs()),
    wasCancelled: signal?.aborted === true,
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
    byKind,
    unserved: [...run.unserved],
    notServed: run.notServed,
    errors,
    inputTokens,
    outputTokens,
    durationMs: quantilesOf(durations),
    ttftMs: quantilesOf(ttfts),
  };
}

/** Waits for what runs, then ends it. */
async function drain(run: TrafficRun, running: ReadonlySet<Promise<void>>, patienceMs: number, clock: Clock): Promise<void> {
  const timer = clock.setTimer(patienceMs, () => run.abort.abort());
  await Promise.all(running);
  timer.cancel();
}

/** The mix without what the gateway does not serve; as it was when nothing else is left. */
function servedMix(mix: TrafficMix, unserved: ReadonlySet<TrafficKind>): TrafficMix {
  if (unserved.size === 0) return mix;
  const served = Object.fromEntries(
    Object.entries(mix).map(([kind, share]) => [kind, unserved.has(kind as TrafficKind) ? 0 : share]),
  ) as TrafficMix; // same keys
  return Object.values(served).every((share) => share === 0) ? mix : served;
}
