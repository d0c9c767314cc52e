import { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../kernel/clock.ts';
import { PlimsollError, toPlimsollError } from '../kernel/errors.ts';
import { eventEntry, type JournaledEvent } from '../kernel/event-log/journaled-event.ts';
import { IsoTexts } from '../kernel/iso-texts.ts';
import type { JournalWriter } from '../kernel/journal/record.ts';
import type { CallOpened } from '../traces/call-record.ts';
import { AccessTokens } from './access-tokens.ts';
import { Admission } from './admission/admission.ts';
import type { AdmissionHistory } from './admission/history.ts';
import type { LeaseSource } from './admission/lease-source.ts';
import { budgetReached, limitExceeded } from './admission/limit-event.ts';
import { type LimitState, type LimitsReport, limitStates, limitsReport } from './admission/limit-state.ts';
import { type SharingOptions, shareLimits } from './admission/share-limits.ts';
import { JsonScanner } from './body/json-scanner.ts';
import type { AnswerCache } from './cache/answer-cache.ts';
import { type CacheReport, ResponseCache } from './cache/response-cache.ts';
import { Call } from './call.ts';
import type { ClientDialect } from './client-dialect.ts';
import { type CompiledSnapshot, compileSnapshot, type ResolveSecret } from './compiled-snapshot.ts';
import { Deadlines } from './deadlines.ts';
import type { ClientRequest, ClientResponse } from './downstream/client-exchange.ts';
import { dialectOf, type Endpoint, endpointsAt, isUnservedModelPath, SUPPORTED_ENDPOINTS } from './endpoints.ts';
import { FeatureThrottles } from './feature-throttles.ts';
import type { GatewayContext } from './gateway-context.ts';
import { GatewayMetrics } from './gateway-metrics.ts';
import { IdempotencyStore } from './idempotency/idempotency-store.ts';
import { listModels, readModel } from './models-endpoint.ts';
import { OutputSchemas } from './output/output-schema.ts';
import { runPipeline } from './pipeline.ts';
import { ProbeRunner } from './routing/probes.ts';
import type { RoutingReport } from './routing/report.ts';
import { routingReport } from './routing/report-of-worker.ts';
import { RoutingRegistry } from './routing/routing-registry.ts';
import { sendError, sendFailure } from './send-answer.ts';
import { SlotList } from './slot-list.ts';
import type { Snapshot } from './snapshot.ts';
import { countTokens, readStoredAnswer } from './unmetered.ts';
import { UpstreamPools } from './upstream/upstream-pools.ts';

/** Deeper than any real answer; keeps a hostile one from costing more than it should. */
const MAX_ANSWER_DEPTH = 512;

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
  /** Uniform in [0, 1); Math.random unless said. */
  readonly random?: () => number;
}

export interface Readiness {
  readonly ready: boolean;
  /** Empty when ready. */
  readonly reasons: readonly string[];
}

export interface Gateway {
  /** For `http.createServer`, and for a `FrontDoor` before it. */
  handler(request: ClientRequest, response: ClientResponse): void;
  /** Prometheus text format. */
  metrics(): string;
  readiness(): Readiness;
  /** What is used of every limit, with the members that have used most. */
  limits(topMembers: number): LimitState[];
  /** The same for control, taken while calls are served. */
  limitsReport(topMembers: number): Promise<LimitsReport>;
  /** What this worker knows of its targets and routes. */
  routing(): RoutingReport;
  /** From now on the limits are kept together with other gateways. @returns gives back what is not used */
  shareLimits(source: LeaseSource, options: SharingOptions): { close(): Promise<void> };
  /** What an earlier process of this gateway used: before the first call. */
  continueLimits(history: AdmissionHistory): void;
  /** For the process after this one: all that is used now. */
  limitsHistory(): AdmissionHistory;
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
  const registry = new RoutingRegistry();
  const context: GatewayContext = {
    clock,
    journal,
    pools: options.pools ?? new UpstreamPools(clock),
    tokens: new AccessTokens(clock),
    deadlines: new Deadlines(clock),
    answerScanner: new JsonScanner(MAX_ANSWER_DEPTH),
    isoTexts: new IsoTexts(),
    metrics: new GatewayMetrics(),
    throttles: new FeatureThrottles(),
    cache: new ResponseCache(clock, options.sharedCache ?? null),
    admission: new Admission({
      clock,
      onReached: (counter, percents) => {
        for (const percent of percents) emitEvent(budgetReached(counter, percent, tenant(), clock.nowMs()));
      },
      onExceeded: (counter) => emitEvent(limitExceeded(counter, counter.usedByAll(clock.monotonicMs()), tenant(), clock.nowMs())),
    }),
    emitEvent,
    outputSchemas: new OutputSchemas(),
    writeLogLine: options.writeLogLine,
    activeCalls,
    routing: registry,
    idempotency: new IdempotencyStore(clock),
    random: options.random ?? Math.random,
    track,
  };
  const probes = new ProbeRunner(context, () => compiled);
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
  function adoptLimits({ keys }: Snapshot, { limitRules }: CompiledSnapshot): void {
    context.admission.adopt(limitRules, () => new Map(keys.map(({ id, name }) => [id, name])));
  }

  function currentSnapshot(): CompiledSnapshot | null {
    const newest = snapshots.current();
    if (newest === source || newest === null) return compiled;
    source = newest;
    try {
      compiled = compileSnapshot(newest, options.resolveSecret, registry);
      adoptLimits(newest, compiled);
      context.pools.retain(compiled.providers);
      context.cache.configure(compiled.cache, compiled.features.values());
      context.tokens.retain(compiled.providers);
      context.idempotency.configure(newest.limits.idempotency);
      probes.schedule(newest.health?.probes ?? null);
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

  /** Runs a call to its end; while it runs it counts as in flight. @param run never leaves the client without an answer, but for our defects */
  function start(request: ClientRequest, response: ClientResponse, dialect: ClientDialect, run: typeof runPipeline): void {
    const call = new Call(request, response, dialect, requireSnapshot(), clock);
    totalCalls++;
    if (isDraining) response.shouldKeepAlive = false;
    // Before it runs: it counts against the most that may be in flight.
    activeCalls.add(call);
    track(call, run(call, context));
  }

  /** Keeps a call among those in flight until its run is over. */
  function track(call: Call, run: Promise<unknown>): void {
    activeCalls.add(call);
    run
      .catch((thrown: unknown) => {
        // The pipeline handles everything it knows of; what gets here is our defect, and the client must not hang on it.
        options.writeLogLine(JSON.stringify({ event: 'gateway_defect', trace_id: call.traceId, message: String(thrown) }));
        call.response.destroy();
      })
      .finally(() => {
        // The pipeline settled it; what a defect left is given back here.
        call.reservation?.release();
        activeCalls.delete(call);
        if (activeCalls.size === 0) for (const wake of idleWaiters.splice(0)) wake();
      });
  }

  function serve({ operation, dialect }: Endpoint, path: string, request: ClientRequest, response: ClientResponse): void {
    switch (operation) {
      case 'chat':
        start(request, response, dialect, runPipeline);
        return;
      case 'count_tokens':
        start(request, response, dialect, runCountTokens);
        return;
      case 'stored_response':
        start(request, response, dialect, runStoredAnswer);
        return;
      case 'list_models':
        sendJson(response, 200, listModels(request, dialectOf(path, request.headers).name, requireSnapshot(), clock.nowMs()));
        return;
      case 'read_model':
        sendJson(response, 200, readModel(request, path, dialectOf(path, request.headers).name, requireSnapshot(), clock.nowMs()));
        return;
      default:
        operation satisfies never;
    }
  }

  function dispatch(request: ClientRequest, response: ClientResponse, path: string): void {
    const { method } = request;
    const endpoints = endpointsAt(path);
    if (endpoints.length > 0) {
      const endpoint = endpoints.find((candidate) => candidate.method === method);
      if (endpoint === undefined) throw notAllowed(path, method, endpoints.map((candidate) => candidate.method).join(', '));
      serve(endpoint, path, request, response);
    } else if (path === '/healthz') sendJson(response, 200, { status: 'ok' });
    else if (path === '/readyz') {
      const state = readiness();
      sendJson(response, state.ready ? 200 : 503, state);
    } else if (path === '/metrics') {
      response.writeHead(200, ['content-type', 'text/plain; version=0.0.4; charset=utf-8']);
      response.end(Buffer.from(metrics()));
    } else if (isUnservedModelPath(path)) {
      throw new PlimsollError('not_found', `${path} is not served here. Supported: ${SUPPORTED_ENDPOINTS}.`);
    } else if (options.forward !== undefined && request instanceof IncomingMessage && response instanceof ServerResponse)
      options.forward(request, response);
    else throw new PlimsollError('not_found', `There is nothing at ${method} ${path}. Supported: ${SUPPORTED_ENDPOINTS}.`);
  }

  function metrics(): string {
    const { cache } = context;
    const text = context.metrics.text({
      activeCalls: activeCalls.size,
      snapshotEpoch: compiled?.epoch ?? null,
      journal: journal.stats,
      upstreams: context.pools.stats(),
      admission: context.admission.stats,
      routing: routingReport(registry, clock, compiled, context.idempotency),
    });
    return `${text}${cache.counters.text(cache.holdings(), cache.store.evictions)}`;
  }

  return {
    routing: () => routingReport(registry, clock, compiled, context.idempotency),
    openCalls: () => activeCalls.list().flatMap((call) => (call.opened !== null && !call.isSettled ? [call.opened] : [])),
    handler(request, response) {
      const path = takePath(request);
      try {
        dispatch(request, response, path);
      } catch (thrown) {
        sendError(response, toPlimsollError(thrown), dialectOf(path, request.headers));
      }
    },
    metrics,
    cacheReport: () => context.cache.report(),
    readiness,
    shareLimits(source, sharing) {
      // What an earlier process used is taken up first: the others must hear of it.
      currentSnapshot();
      return shareLimits(context.admission, source, clock, sharing);
    },
    continueLimits(history) {
      context.admission.continue(history);
      const snapshot = currentSnapshot();
      if (snapshot !== null && source !== null) adoptLimits(source, snapshot);
    },
    limitsHistory: () => context.admission.history(),
    limits: (topMembers) => {
      currentSnapshot();
      return limitStates(context.admission, topMembers);
    },
    limitsReport: (topMembers) => {
      currentSnapshot();
      return limitsReport(context.admission, topMembers);
    },
    async drain(deadlineMs) {
      isDraining = true;
      probes.stop();
      // Nobody waits for these.
      for (const call of activeCalls.list())
        if (call.purpose === 'shadow' || call.purpose === 'probe') call.stop(new PlimsollError('superseded', 'The gateway is stopping.'));
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

/**
 * Path of a request, without its query. Gemini's clients may send their key in the query: it moves to the header that stands for the same, so that
 * nothing behind this ever sees a URL with a key in it.
 */
function takePath(request: ClientRequest): string {
  const url = request.url ?? '/';
  const end = url.indexOf('?');
  if (end < 0) return url;
  const path = url.slice(0, end);
  if (isModelPath(path) && /[?&]key=/.test(url)) {
    const query = new URLSearchParams(url.slice(end + 1));
    request.headers['x-goog-api-key'] ??= query.get('key') ?? '';
    query.delete('key');
    request.url = query.size === 0 ? path : `${path}?${query.toString()}`;
  }
  return path;
}

function isModelPath(path: string): boolean {
  return path.startsWith('/v1/') || path.startsWith('/v1beta');
}

/** A call outside the pipeline, answered with its failure when it has one. */
function unmetered(run: (call: Call, context: GatewayContext) => Promise<void>): typeof runPipeline {
  return async (call, context) => {
    try {
      await run(call, context);
    } catch (thrown) {
      sendFailure(call, toPlimsollError(thrown), context);
    }
  };
}
const runCountTokens = unmetered(countTokens);
const runStoredAnswer = unmetered(readStoredAnswer);

function notAllowed(path: string, method: string | undefined, allow: string): PlimsollError {
  return new PlimsollError('method_not_allowed', `${path} does not take ${method}.`, { details: { allow } });
}

function sendJson(response: ClientResponse, status: number, value: unknown): void {
  const body = Buffer.from(JSON.stringify(value));
  response.writeHead(status, ['content-type', 'application/json', 'content-length', String(body.length)]);
  response.end(body);
}
