import { observeClient } from './monitored.ts';
import type { Feedback, Outcome, Score } from './reports.ts';
import { toSpan } from './span.ts';
import { type QueueStats, SpanQueue } from './span-queue.ts';

export type { Feedback, Outcome, Score } from './reports.ts';

export interface PlimsollOptions {
  /** Base address; PLIMSOLL_URL when left out, else http://127.0.0.1:4000. */
  readonly url?: string;
  /** Virtual key, plk_…; PLIMSOLL_KEY when left out. */
  readonly key?: string;
  /** Longest wait before traces are sent, milliseconds. */
  readonly flushMs?: number;
  /** Most memory for traces that cannot be sent, in characters. */
  readonly maxQueueCharacters?: number;
  readonly fetch?: typeof fetch;
}

export interface MonitoredOptions {
  /** Feature that the calls belong to; may be left out when the key is bound to one. */
  readonly feature?: string;
  readonly user?: string;
  /** Conversation. */
  readonly session?: string;
  /** False = prompts and answers stay in the application. */
  readonly recordTexts?: boolean;
}

/** What Plimsoll answered to a report that it did not take. */
export class PlimsollReportError extends Error {
  readonly status: number;
  readonly code: string | null;

  constructor(message: string, status: number, code: string | null) {
    super(message);
    this.name = 'PlimsollReportError';
    this.status = status;
    this.code = code;
  }
}

export interface Plimsoll {
  /** The same client, of which each call of a model becomes a trace. OpenAI- and Anthropic-shaped clients. */
  monitored<T extends object>(client: T, options?: MonitoredOptions): T;
  /** The trace of an answer or stream of a monitored client, for feedback on it. */
  traceIdOf(answer: object): string | undefined;
  /** Resolve with the ids once the report is on disk there. @throws PlimsollReportError when it is not taken */
  feedback(feedback: Feedback): Promise<readonly string[]>;
  outcome(outcome: Outcome): Promise<readonly string[]>;
  score(score: Score): Promise<readonly string[]>;
  /** Sends what waits, for as long as `timeoutMs`; for the end of short programs. Never rejects. */
  flush(timeoutMs?: number): Promise<void>;
  readonly stats: QueueStats;
}

const REPORT_TIMEOUT_MS = 10_000;

function variable(name: string): string | undefined {
  const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } };
  return process?.env?.[name];
}

export function createPlimsoll(options: PlimsollOptions = {}): Plimsoll {
  const url = (options.url ?? variable('PLIMSOLL_URL') ?? 'http://127.0.0.1:4000').replace(/\/+$/, '');
  const key = options.key ?? variable('PLIMSOLL_KEY') ?? '';
  const send = options.fetch ?? ((...args: Parameters<typeof fetch>) => fetch(...args));
  const queue = new SpanQueue({
    url,
    key,
    fetch: send,
    flushMs: options.flushMs ?? 1_000,
    maxCharacters: options.maxQueueCharacters ?? 4_000_000,
  });
  const traceIds = new WeakMap<object, string>();

  async function report(path: string, body: Feedback | Outcome | Score): Promise<readonly string[]> {
    const answer = await send(`${url}/api/v1/${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(REPORT_TIMEOUT_MS),
    });
    const reply = (await answer.json().catch(() => ({}))) as { ids?: readonly string[]; detail?: string; code?: string }; // Plimsoll's own answers
    if (!answer.ok || reply.ids === undefined)
      throw new PlimsollReportError(reply.detail ?? `Plimsoll answered ${answer.status}`, answer.status, reply.code ?? null);
    return reply.ids;
  }

  return {
    monitored: (client, { feature = '', user, session, recordTexts = true } = {}) =>
      observeClient(client, {
        feature,
        user: user ?? null,
        session: session ?? null,
        recordTexts,
        onCall: (of, call) => queue.add(of, toSpan(call)),
        onAnswer: (answer, traceId) => traceIds.set(answer, traceId),
      }),
    traceIdOf: (answer) => traceIds.get(answer),
    feedback: (feedback) => report('feedback', feedback),
    outcome: (outcome) => report('outcomes', outcome),
    score: (score) => report('scores', score),
    flush: (timeoutMs = 5_000) => queue.flush(timeoutMs),
    get stats() {
      return queue.stats;
    },
  };
}

/** Wraps one client with a Plimsoll of its own, from PLIMSOLL_URL and PLIMSOLL_KEY, or with the one that is given. */
export function monitored<T extends object>(client: T, options: MonitoredOptions & { readonly plimsoll?: Plimsoll } = {}): T {
  const { plimsoll = createPlimsoll(), ...rest } = options;
  return plimsoll.monitored(client, rest);
}
