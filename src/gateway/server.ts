import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../kernel/clock.ts';
import { PlimsollError, toPlimsollError } from '../kernel/errors.ts';
import { eventEntry, type JournaledEvent } from '../kernel/event-log/journaled-event.ts';
import type { JournalWriter } from '../kernel/journal/record.ts';
import type { CallOpened } from '../traces/call-record.ts';
import { AccessTokens } from './access-tokens.ts';
import { Admission } from './admission/admission.ts';
import { budgetReached, limitExceeded } from './admission/limit-event.ts';
import { type LimitState, limitStates } from './admission/limit-state.ts';
import { JsonScanner } from './body/json-scanner.ts';
import type { AnswerCache } from './cache/answer-cache.ts';
import { type CacheReport, ResponseCache } from './cache/response-cache.ts';
import { Call } from './call.ts';
import type { ClientDialect } from './client-dialect.ts';
import { type CompiledSnapshot, compileSnapshot, type ResolveSecret } from './compiled-snapshot.ts';
import { Deadlines } from './deadlines.ts';
import { openAiChat } from './dialects/openai-chat.ts';
import { FeatureThrottles } from './feature-throttles.ts';
import type { GatewayContext } from './gateway-context.ts';
import { GatewayMetrics } from './gateway-metrics.ts';
import { listModels, readModel } from './models-endpoint.ts';
import { runPipeline } from './pipeline.ts';
import { sendError } from './send-answer.ts';
import { SlotList } from './slot-list.ts';
import type { Snapshot } from './snapshot.ts';
import { UpstreamPools } from './upstream/upstream-pools.ts';

/** Deeper than any real answer; keeps a hostile one from costing more than it should. */
const MAX_ANSWER_DEPTH = 512;

/** Paths of OpenAI's and Anthropic's APIs that clients will try and that are not served: said clearly instead of forwarded. */
const UNSUPPORTED =
  /^\/v1\/(responses|completions|embeddings|messages|images|audio|moderations|files|batches|fine_tuning|assistants|threads|realtime|vector_stores|uploads|rerank)(\/|$)/;
const SUPPORTED = 'POST /v1/chat/completions, GET /v1/models, GET /v1/models/{id}';

export interface GatewayOptions {
  readonly clock: Clock;
  readonly journal: JournalWriter;
  /** The newest snapshot; a call reads it once, when it comes. */
  readonly snapshots: { current(): Snapshot | null };
  /** The value of a credential; null when the environment does not have it. */
  readonly resolveSecret: ResolveSecret;
  /** One structured line per call, without a line end. */
  readonly writeLogLine: (line: string) => void;
  /** Answers that all gateways share; without it they are kept in memory. */
  readonly sharedCache?: AnswerCache | null;
  /** Takes every path that is not the gateway's own; without it they answer 404. */
  readonly forward?: (request: IncomingMessage, response: ServerResponse) => void;
  /** Connections to providers; its own unless a bench counts without sockets. */
  readonly pools?: UpstreamPools;
}

export interface Readiness {
  readonly ready: boolean;
  /** Empty when ready. */
  readonly reasons: readonly string[];
}

export interface Gateway {
  /** For `http.createServer`. */
  handler(request: IncomingMessage, response: ServerResponse): void;
  /** Prometheus text format. */
  metrics(): string;
  readiness(): Readiness;
  /** What is used of every limit, with the members that have used most. */
  limits(topMembers: number): LimitState[];
  /** Calls that are journaled as opened and not settled yet: carried over into each new journal segment. */
  openCalls(): CallOpened[];
  /** What control is told of the cache; comparisons are handed over once. */
  cacheReport(): CacheReport;
  /** Stops being ready, waits for the calls in flight, cuts what is left at the deadline (each is settled), closes the connections to providers. */
  drain(deadlineMs: number): Promise<void>;
  readonly stats: { readonly activeCalls: number; readonly totalCalls: number };
}

/** The data plane: decides in memory, never waits for a database. */
export function createGateway(options: GatewayOptions): Gateway {
  const { clock, journal, snapshots } = options;
  const activeCalls = new SlotList<Call>();
  const idleWaiters: (() => void)[] = [];
  const context: GatewayContext = {
    clock,
    journal,
    pools: options.pools ?? new UpstreamPools(clock),
    tokens: new AccessTokens(clock),
    deadlines: new Deadlines(clock),
    answerScanner: new JsonScanner(MAX_ANSWER_DEPTH),
    metrics: new GatewayMetrics(),
    throttles: new FeatureThrottles(),
    cache: new ResponseCache(clock, options.sharedCache ?? null),
    admission: new Admission({
      clock,
      onReached: (counter, percents) => {
        for (const percent of percents) emitEvent(budgetReached(counter, percent, tenant(), clock.nowMs()));
      },
      onExceeded: (counter) => emitEvent(limitExceeded(counter, counter.used(clock.monotonicMs()), tenant(), clock.nowMs())),
    }),
    emitEvent,
    writeLogLine: options.writeLogLine,
    activeCalls,
  };
  let totalCalls = 0;
  let isDraining = false;
  let source: Snapshot | null = null;
  let compiled: CompiledSnapshot | null = null;

  function emitEvent(event: JournaledEvent): void {
    journal.append(eventEntry(event));
  }

  function tenant(): { organisationId: string; environment: string } {
    return { organisationId: compiled?.organisationId ?? '', environment: compiled?.environment ?? '' };
  }

  /** Compiles a snapshot when its pointer changed. One that cannot be compiled leaves the one before in use. */
  function currentSnapshot(): CompiledSnapshot | null {
    const newest = snapshots.current();
    if (newest === source || newest === null) return compiled;
    source = newest;
    try {
      compiled = compileSnapshot(newest, options.resolveSecret);
      context.admission.adopt(compiled.limitRules);
      context.pools.retain(compiled.providers);
      context.cache.configure(compiled.cache, compiled.features.values());
      context.tokens.retain(compiled.providers);
    } catch (thrown) {
      const error = toPlimsollError(thrown);
      options.writeLogLine(JSON.stringify({ event: 'snapshot_refused', epoch: newest.epoch, error: error.code, message: error.message }));
    }
    return compiled;
  }

  function requireSnapshot(): CompiledSnapshot {
    const snapshot = currentSnapshot();
    if (snapshot === null)
      throw new PlimsollError('not_ready', 'The gateway has no configuration yet.', { details: { retryAfterSeconds: 1 } });
    return snapshot;
  }

  function readiness(): Readiness {
    const reasons: string[] = [];
    if (currentSnapshot() === null) reasons.push('no configuration snapshot yet');
    if (isDraining) reasons.push('draining');
    if (!journal.canAccept()) reasons.push('the journal cannot take records');
    return { ready: reasons.length === 0, reasons };
  }

  function chat(request: IncomingMessage, response: ServerResponse, dialect: ClientDialect): void {
    const call = new Call(request, response, dialect, requireSnapshot(), clock);
    totalCalls++;
    activeCalls.add(call);
    if (isDraining) response.shouldKeepAlive = false;
    runPipeline(call, context)
      .catch((thrown: unknown) => {
        // The pipeline handles everything it knows of; what gets here is our defect, and the client must not hang on it.
        options.writeLogLine(JSON.stringify({ event: 'gateway_defect', trace_id: call.traceId, message: String(thrown) }));
        response.destroy();
      })
      .finally(() => {
        // The pipeline settled it; what a defect left is given back here.
        call.reservation?.release();
        activeCalls.delete(call);
        if (activeCalls.size === 0) for (const wake of idleWaiters.splice(0)) wake();
      });
  }

  function dispatch(request: IncomingMessage, response: ServerResponse): void {
    const { method } = request;
    const url = request.url ?? '/';
    const end = url.indexOf('?');
    const path = end < 0 ? url : url.slice(0, end);
    if (path === '/v1/chat/completions') {
      if (method !== 'POST') throw notAllowed(path, method, 'POST');
      chat(request, response, openAiChat);
    } else if (path === '/v1/models' || path.startsWith('/v1/models/')) {
      if (method !== 'GET') throw notAllowed(path, method, 'GET');
      const snapshot = requireSnapshot();
      const nowMs = clock.nowMs();
      sendJson(response, 200, path === '/v1/models' ? listModels(request, snapshot, nowMs) : readModel(request, path, snapshot, nowMs));
    } else if (path === '/healthz') sendJson(response, 200, { status: 'ok' });
    else if (path === '/readyz') {
      const state = readiness();
      sendJson(response, state.ready ? 200 : 503, state);
    } else if (path === '/metrics') {
      response.writeHead(200, ['content-type', 'text/plain; version=0.0.4; charset=utf-8']);
      response.end(metrics());
    } else if (UNSUPPORTED.test(path)) {
      throw new PlimsollError('not_found', `${path} is not served here. Supported: ${SUPPORTED}.`);
    } else if (options.forward !== undefined) options.forward(request, response);
    else throw new PlimsollError('not_found', `There is nothing at ${method} ${path}. Supported: ${SUPPORTED}.`);
  }

  function metrics(): string {
    const { cache } = context;
    const text = context.metrics.text({
      activeCalls: activeCalls.size,
      snapshotEpoch: compiled?.epoch ?? null,
      journal: journal.stats,
      upstreams: context.pools.stats(),
      admission: context.admission.stats,
    });
    return `${text}${cache.counters.text(cache.holdings(), cache.store.evictions)}`;
  }

  return {
    openCalls: () => activeCalls.list().flatMap((call) => (call.opened !== null && !call.isSettled ? [call.opened] : [])),
    handler(request, response) {
      try {
        dispatch(request, response);
      } catch (thrown) {
        sendError(response, toPlimsollError(thrown));
      }
    },
    metrics,
    cacheReport: () => context.cache.report(),
    readiness,
    limits: (topMembers) => {
      currentSnapshot();
      return limitStates(context.admission, topMembers);
    },
    async drain(deadlineMs) {
      isDraining = true;
      const idle = new Promise<void>((resolve) => {
        if (activeCalls.size === 0) resolve();
        else idleWaiters.push(resolve);
      });
      const timer = clock.setTimer(deadlineMs, () => {
        for (const call of activeCalls.list()) call.stop(new PlimsollError('not_ready', 'The gateway is stopping.'));
      });
      await idle;
      timer.cancel();
      context.pools.close();
      context.tokens.close();
    },
    get stats() {
      return { activeCalls: activeCalls.size, totalCalls };
    },
  };
}

function notAllowed(path: string, method: string | undefined, allow: string): PlimsollError {
  return new PlimsollError('method_not_allowed', `${path} does not take ${method}.`, { details: { allow } });
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  const body = Buffer.from(JSON.stringify(value));
  response.writeHead(status, ['content-type', 'application/json', 'content-length', String(body.length)]);
  response.end(body);
}
