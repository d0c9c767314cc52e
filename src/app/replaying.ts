import { JsonScanner } from '../gateway/body/json-scanner.ts';
import { replaceMember } from '../gateway/body/replace-member.ts';
import type { Snapshot } from '../gateway/snapshot.ts';
import type { Clock } from '../kernel/clock.ts';
import { PlimsollError } from '../kernel/errors.ts';
import type { JobContext, JobRunner } from '../kernel/jobs/runner.ts';
import { parseJsonText } from '../kernel/parse-json.ts';
import type { Scope } from '../kernel/scope.ts';
import { priceUsage } from '../models/price-usage.ts';
import type { Usage } from '../models/usage.ts';
import type { ControlStores } from '../stores/sql/control-store.ts';
import { type ReplayPorts, type ReplaySend, runReplay } from '../traces/replay/run.ts';
import { createReplayService, type ReplayService } from '../traces/replay/service.ts';
import type { TraceStore } from '../traces/store.ts';

export const REPLAY_JOB = 'traces.replay';

/** A store or gateway that is away comes back; what was paid for is not paid for again. */
const RETRY = { maxAttempts: 1_000, firstMs: 1_000, maxMs: 60_000 } as const;
/** Longer than any provider's own total. */
const CALL_TIMEOUT_MS = 15 * 60_000;
const MAX_MESSAGE_CHARACTERS = 1000;

export interface ReplayingOptions {
  readonly store: ControlStores;
  readonly scope: Scope;
  readonly clock: Clock;
  readonly traces: TraceStore;
  readonly snapshot: () => Snapshot | null;
  /** Where a gateway answers, e.g. `http://127.0.0.1:4000`; null = not known here. */
  readonly gatewayUrl: string | null;
  /** Control's own virtual key. */
  readonly virtualKey: string;
}

/** The gateway's own words for why it refused; null where it gave none that can be read. */
function refusalMessage(text: string): string | null {
  try {
    const body = parseJsonText(text) as { error?: { message?: unknown } } | null;
    const message = body?.error?.message;
    return typeof message === 'string' ? message.slice(0, MAX_MESSAGE_CHARACTERS) : null;
  } catch {
    return null;
  }
}

/** Cost of tokens at the dearest target of a route, or at an alias; null when a target has no price, or there is none of that name. */
export function priceAt({ routes, models }: Pick<Snapshot, 'routes' | 'models'>, name: string, usage: Usage): bigint | null {
  const targets = routes.find((route) => route.name === name)?.targets ?? [name];
  let most = 0n;
  for (const target of targets) {
    const cost = priceUsage(usage, models.find((model) => model.name === target)?.price ?? null).costPicoUsd;
    if (cost === null) return null;
    if (cost > most) most = cost;
  }
  return most;
}

/** Replays as a job: asked for over the API, done by whichever control holds the lease, through a gateway like any call. */
export class Replaying {
  readonly #options: ReplayingOptions;
  #jobs: JobRunner | null = null;

  constructor(options: ReplayingOptions) {
    this.#options = options;
  }

  use(jobs: JobRunner): void {
    this.#jobs = jobs;
  }

  service(stores: ControlStores): ReplayService {
    const { clock, snapshot } = this.#options;
    return createReplayService({
      store: stores.replays,
      models: () => [...(snapshot()?.routes ?? []), ...(snapshot()?.models ?? [])].map(({ name }) => name),
      schedule: async (id) => {
        if (this.#jobs === null) throw new PlimsollError('not_ready', 'Control is starting; jobs are not taken yet');
        const timing = { kind: 'at', runAtMs: clock.nowMs() } as const;
        await this.#jobs.schedule({ name: REPLAY_JOB, key: `${REPLAY_JOB}/${id}`, timing, payload: { id }, retry: RETRY }, stores.jobs);
      },
      nowMs: () => clock.nowMs(),
    });
  }

  async run({ payload, signal }: JobContext): Promise<void> {
    const { store, scope, clock, traces } = this.#options;
    const { id } = payload as { id: string }; // as scheduled above
    const scanner = new JsonScanner(this.#snapshot().limits.maxJsonDepth);
    const ports: ReplayPorts = {
      store: store.replays,
      traces,
      send: (call, stop) => this.#send(call, stop),
      priceAt: (name, usage) => priceAt(this.#snapshot(), name, usage),
      replaceModel: (body, model) =>
        replaceMember(Buffer.from(body), 'model', Buffer.from(`"model":${JSON.stringify(model)}`), scanner).toString('utf8'),
      clock,
    };
    await runReplay(scope, id, ports, signal);
  }

  #snapshot(): Snapshot {
    const snapshot = this.#options.snapshot();
    if (snapshot === null) throw new PlimsollError('not_ready', 'Control has no configuration yet');
    return snapshot;
  }

  async #send(call: ReplaySend, signal: AbortSignal): Promise<{ status: number; message: string | null }> {
    const { gatewayUrl, virtualKey } = this.#options;
    if (gatewayUrl === null) throw new PlimsollError('not_ready', 'Control does not know a gateway: set PLIMSOLL_GATEWAY_URL.');
    const stop = AbortSignal.any([signal, AbortSignal.timeout(CALL_TIMEOUT_MS)]);
    let answer: Response;
    try {
      answer = await fetch(`${gatewayUrl}${call.path}`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${virtualKey}`,
          'content-type': 'application/json',
          'x-plimsoll-feature': call.feature,
          'x-plimsoll-purpose': 'replay',
          'x-plimsoll-tags': `plimsoll.replay=${call.replayId},plimsoll.replay_of=${call.recordedTraceId}`,
          traceparent: `00-${call.traceId}-${call.spanId}-01`,
        },
        body: call.body,
        signal: stop,
      });
    } catch (cause) {
      signal.throwIfAborted();
      throw new PlimsollError('store_unavailable', `No gateway answers at ${gatewayUrl}.`, { cause });
    }
    try {
      const text = await answer.text();
      return { status: answer.status, message: answer.ok ? null : refusalMessage(text) };
    } catch {
      signal.throwIfAborted();
      // An answer that broke off: its record says how.
      return { status: answer.status, message: null };
    }
  }
}
