import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../kernel/clock.ts';
import { PlimsollError } from '../kernel/errors.ts';
import { createAnswerIndex } from './answers.ts';
import { parseAnthropicRequest } from './anthropic-request.ts';
import { ANTHROPIC_WIRE } from './anthropic-wire.ts';
import { type WireFailure, wireFailure } from './chat-request.ts';
import { countInputTokens, planAnswer } from './completion.ts';
import { resolveProfiles, type SimConfig } from './config.ts';
import { CORPUS_FEATURES } from './corpus/features.ts';
import { type Delivery, deliverBody, deliverEvents, deliverNothing, resetConnection } from './delivery.ts';
import { OccurrenceCounter, selectFaults } from './fault-selection.ts';
import { type Fault, findFault } from './faults.ts';
import { OPENAI_WIRE } from './openai-wire.ts';
import { seededRandom } from './seeded-random.ts';
import type { WireDialect, WireRequest } from './wire.ts';

export interface SimulatedProvidersOptions {
  readonly config: SimConfig;
  readonly clock: Clock;
  /** Port on the loopback address; 0 = any free one. `config.port` is listened on besides. */
  readonly port: number;
  /** Overrides `config.seed`. */
  readonly seed?: number;
  /** Address to listen on; 127.0.0.1 unless said. */
  readonly host?: string;
}

/** Counts since the start. */
export interface SimulatedProvidersStats {
  readonly requests: number;
  /** Requests that have no complete answer yet. */
  readonly open: number;
  /** Answers whose client left before the end. */
  readonly aborted: number;
  readonly byModel: Readonly<Record<string, number>>;
  readonly byStatus: Readonly<Record<string, number>>;
  /** Faults that were applied, by name. */
  readonly byFault: Readonly<Record<string, number>>;
}

export interface SimulatedProviders {
  readonly port: number;
  /** Ends all connections, answered or not. */
  close(): Promise<void>;
  stats(): SimulatedProvidersStats;
}

const MAXIMUM_BODY_BYTES = 64 * 1024 * 1024;
const REMEMBERED_REQUESTS = 20_000;

type Endpoint =
  | { readonly dialect: WireDialect; readonly kind: 'generate' | 'models' | 'count_tokens' }
  | { readonly dialect: WireDialect; readonly kind: 'model'; readonly name: string };

/** Both dialects under their own prefix, and at the root for clients whose base URL is only host and port. */
function endpointOf(path: string, headers: IncomingMessage['headers']): Endpoint | WireDialect {
  const isAnthropicCaller = headers['anthropic-version'] !== undefined;
  const [, prefix = '', rest = ''] = /^\/(openai\/|anthropic\/)?(?:v1\/)?(.*)$/.exec(path) ?? [];
  const dialect =
    prefix === 'anthropic/' || (prefix === '' && (isAnthropicCaller || rest.startsWith('messages'))) ? ANTHROPIC_WIRE : OPENAI_WIRE;
  if (rest === 'chat/completions' && dialect === OPENAI_WIRE) return { dialect, kind: 'generate' };
  if (rest === 'messages' && dialect === ANTHROPIC_WIRE) return { dialect, kind: 'generate' };
  if (rest === 'messages/count_tokens' && dialect === ANTHROPIC_WIRE) return { dialect, kind: 'count_tokens' };
  if (rest === 'models') return { dialect, kind: 'models' };
  if (rest.startsWith('models/')) return { dialect, kind: 'model', name: rest.slice('models/'.length) };
  return dialect;
}

/** Reads a body; null when it is longer than the limit. */
async function readBody(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAXIMUM_BODY_BYTES) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function keyOf(headers: IncomingMessage['headers']): string {
  const apiKey = headers['x-api-key'];
  return typeof apiKey === 'string' ? apiKey : (headers.authorization ?? '').replace(/^Bearer\s+/i, '');
}

/** What the provider says for the faults that answer with an error; null when the faults let it answer. */
function failureOfFaults(faults: readonly Fault[], dialect: WireDialect, model: string, contextTokens: number): WireFailure | null {
  const isOpenAi = dialect === OPENAI_WIRE;
  if (findFault(faults, 'context_length')) return contextFailure(isOpenAi, contextTokens + 12_345, contextTokens);
  const filter = findFault(faults, 'content_filter');
  if (filter && !filter.isOnOutput)
    return isOpenAi
      ? wireFailure(
          400,
          'content_filter',
          "The response was filtered due to the prompt triggering the provider's content management policy.",
          { parameter: 'prompt' },
        )
      : wireFailure(400, 'content_filter', 'Output blocked by content filtering policy');
  const error = findFault(faults, 'error');
  if (error === null || error.value === null) return null;
  const { value: status, retryAfterSeconds } = error;
  switch (status) {
    case 401:
      return wireFailure(401, 'bad_key', 'Incorrect API key provided.');
    case 404:
      return wireFailure(404, 'unknown_model', `The model \`${model}\` does not exist or you do not have access to it.`, {
        parameter: 'model',
      });
    case 413:
      return wireFailure(413, 'too_large', 'Request exceeds the maximum size');
    case 429:
      return wireFailure(429, 'rate_limited', `Rate limit reached for ${model} on requests per minute. Please try again later.`, {
        retryAfterSeconds,
      });
    case 503:
    case 529:
      return wireFailure(status, 'overloaded', isOpenAi ? 'The engine is currently overloaded, please try again later.' : 'Overloaded', {
        retryAfterSeconds,
      });
    default:
      return status < 500
        ? wireFailure(status, 'invalid', 'The request was rejected by the provider.', { retryAfterSeconds })
        : wireFailure(
            status,
            'server_error',
            isOpenAi ? 'The server had an error while processing your request. Sorry about that!' : 'Internal server error',
            { retryAfterSeconds },
          );
  }
}

function contextFailure(isOpenAi: boolean, tokens: number, contextTokens: number): WireFailure {
  return isOpenAi
    ? wireFailure(
        400,
        'context_length',
        `This model's maximum context length is ${contextTokens} tokens. However, your messages resulted in ${tokens} tokens. Please reduce the length of the messages.`,
        { parameter: 'messages' },
      )
    : wireFailure(400, 'context_length', `prompt is too long: ${tokens} tokens > ${contextTokens} maximum`);
}

function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const isTaken = cause.code === 'EADDRINUSE';
      reject(
        new PlimsollError(
          isTaken ? 'port_in_use' : 'internal',
          `The simulated providers cannot listen on ${host}:${port}: ${cause.message}`,
          { details: { host, port }, cause },
        ),
      );
    });
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port)); // a TCP server that listens has an AddressInfo
  });
}

/**
 * Starts the simulated providers: OpenAI's format under `/openai/v1` and `/v1`, Anthropic's under `/anthropic/v1` and `/v1`.
 * Every answer carries `x-plimsoll-simulated: true`.
 * @throws PlimsollError `port_in_use`
 */
export async function startSimulatedProviders(options: SimulatedProvidersOptions): Promise<SimulatedProviders> {
  const { config, clock } = options;
  const seed = options.seed ?? config.seed;
  const host = options.host ?? '127.0.0.1';
  const profiles = resolveProfiles(config);
  const index = createAnswerIndex(CORPUS_FEATURES);
  const occurrences = new OccurrenceCounter(REMEMBERED_REQUESTS);
  const firstCounter = new OccurrenceCounter(REMEMBERED_REQUESTS);
  const counts = { requests: 0, open: 0, aborted: 0 };
  const byModel: Record<string, number> = {};
  const byStatus: Record<string, number> = {};
  const byFault: Record<string, number> = {};
  const bump = (record: Record<string, number>, key: string): void => {
    record[key] = (record[key] ?? 0) + 1;
  };

  async function generate(
    wire: WireRequest,
    dialect: WireDialect,
    header: string | null,
    delivery: Delivery,
    headers: Record<string, string>,
    requestId: string,
  ): Promise<void> {
    const { request } = wire;
    const profile = profiles[request.model];
    const fail = (failure: WireFailure, plannedMs = 0): Promise<void> =>
      deliverFailure(delivery, dialect, failure, headers, requestId, plannedMs);
    if (profile === undefined) {
      const message =
        dialect === OPENAI_WIRE
          ? `The model \`${request.model}\` does not exist or you do not have access to it.`
          : `model: ${request.model}`;
      return fail(wireFailure(404, 'unknown_model', message));
    }
    bump(byModel, request.model);
    const occurrence = occurrences.next(`${request.model}:${request.fingerprint}`);
    let faults: readonly Fault[];
    try {
      faults = selectFaults({ header, request, profile, config, seed, occurrence, firstCounter });
    } catch (thrown) {
      if (!(thrown instanceof PlimsollError)) throw thrown;
      return fail(wireFailure(400, 'invalid', thrown.message));
    }
    for (const fault of faults) bump(byFault, fault.name);
    const faulty: Delivery = { ...delivery, faults };
    if (findFault(faults, 'connection_reset')) return resetConnection(faulty);
    if (findFault(faults, 'timeout')) return deliverNothing(faulty);
    const failure = failureOfFaults(faults, dialect, request.model, profile.contextTokens);
    if (failure) return deliverFailure(faulty, dialect, failure, headers, requestId, profile.ttftMedianMs / 4);
    const inputTokens = countInputTokens(request);
    if (inputTokens > profile.contextTokens)
      return fail(contextFailure(dialect === OPENAI_WIRE, inputTokens, profile.contextTokens), profile.ttftMedianMs / 4);
    const outcome = findFault(faults, 'refusal') ? 'refusal' : findFault(faults, 'content_filter') ? 'content_filter' : undefined;
    const plan = planAnswer({ request, profile, index, seed, outcome });
    const stamp = {
      id: seededRandom(seed, request.fingerprint, 'id', occurrence).hex(24),
      createdSeconds: Math.floor(clock.nowMs() / 1_000),
      seed,
      omitsUsage: findFault(faults, 'no_usage') !== null,
    };
    const midFailure = findFault(faults, 'error_first_event')
      ? wireFailure(500, 'server_error', 'The server had an error while processing your request. Sorry about that!')
      : null;
    if (request.isStream) {
      const events = midFailure
        ? [{ ...dialect.errorEvent(midFailure, requestId), offsetMs: plan.ttftMs }]
        : wire.renderEvents(plan, stamp);
      return deliverEvents(faulty, headers, events);
    }
    const body = midFailure ? dialect.errorBody(midFailure, requestId) : wire.renderBody(plan, stamp);
    return deliverBody(faulty, 200, headers, JSON.stringify(body), plan.durationMs);
  }

  function deliverFailure(
    delivery: Delivery,
    dialect: WireDialect,
    failure: WireFailure,
    headers: Record<string, string>,
    requestId: string,
    plannedMs: number,
  ): Promise<void> {
    const retryAfter = failure.retryAfterSeconds === null ? {} : { 'retry-after': `${failure.retryAfterSeconds}` };
    return deliverBody(
      delivery,
      failure.status,
      { ...headers, ...retryAfter },
      JSON.stringify(dialect.errorBody(failure, requestId)),
      plannedMs,
    );
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const arrivedMs = clock.monotonicMs();
    const path = (request.url ?? '/').split('?')[0] ?? '/';
    const endpoint = endpointOf(path, request.headers);
    const dialect = 'kind' in endpoint ? endpoint.dialect : endpoint;
    const requestId = `req_${seededRandom(seed, 'request', counts.requests).hex(24)}`;
    const headers: Record<string, string> = { 'x-plimsoll-simulated': 'true', [dialect.requestIdHeader]: requestId };
    const delivery: Delivery = { response, clock, arrivedMs, latencyFactor: config.latencyFactor, faults: [] };
    const fail = (failure: WireFailure): Promise<void> => deliverFailure(delivery, dialect, failure, headers, requestId, 0);
    const text = await readBody(request);
    if (text === null) return fail(wireFailure(413, 'too_large', 'Request exceeds the maximum size'));
    if (!('kind' in endpoint))
      return fail(wireFailure(404, 'unknown_path', dialect === OPENAI_WIRE ? `Invalid URL (${request.method} ${path})` : 'Not Found'));
    if (config.apiKey !== undefined && keyOf(request.headers) !== config.apiKey)
      return fail(wireFailure(401, 'bad_key', dialect === OPENAI_WIRE ? 'Incorrect API key provided.' : 'invalid x-api-key'));
    const names = Object.keys(profiles);
    const method = endpoint.kind === 'models' || endpoint.kind === 'model' ? 'GET' : 'POST';
    if (request.method !== method) return fail(wireFailure(405, 'wrong_method', `Not allowed to ${request.method} on ${path}.`));
    if (endpoint.kind === 'models') return deliverBody(delivery, 200, headers, JSON.stringify(dialect.modelList(names)), 0);
    if (endpoint.kind === 'model')
      return names.includes(endpoint.name)
        ? deliverBody(delivery, 200, headers, JSON.stringify(dialect.model(endpoint.name)), 0)
        : fail(wireFailure(404, 'unknown_model', `The model '${endpoint.name}' does not exist`));
    let body: unknown;
    try {
      body = JSON.parse(text);
    } catch {
      return fail(wireFailure(400, 'invalid', 'We could not parse the JSON body of your request.')); // the caller gets what a provider says
    }
    if (endpoint.kind === 'count_tokens') {
      const counted = parseAnthropicRequest(body, true);
      return counted.ok
        ? deliverBody(delivery, 200, headers, JSON.stringify({ input_tokens: countInputTokens(counted.request) }), 0)
        : fail(counted.failure);
    }
    const parsed = dialect.parse(body);
    if (!parsed.ok) return fail(parsed.failure);
    const header = request.headers['x-sim-fault'];
    return generate(parsed.wire, dialect, typeof header === 'string' && header !== '' ? header : null, delivery, headers, requestId);
  }

  function handle(request: IncomingMessage, response: ServerResponse): void {
    counts.requests++;
    counts.open++;
    response.once('close', () => {
      counts.open--;
      bump(byStatus, response.headersSent ? `${response.statusCode}` : 'none');
      if (!response.writableFinished) counts.aborted++;
    });
    // A client that leaves while its body is read ends here too; there is nobody left to tell.
    answer(request, response).catch(() => void response.destroy());
  }

  // Longer than a gateway keeps its idle connections, so that it never sends into one that is being closed.
  const createListener = (): Server => createServer({ keepAliveTimeout: 60_000 }, handle);
  const first = createListener();
  const servers = [first];
  const port = await listen(first, options.port, host);
  if (config.port !== undefined && config.port !== port) {
    const second = createListener();
    try {
      await listen(second, config.port, host);
    } catch (thrown) {
      first.close();
      throw thrown;
    }
    servers.push(second);
  }
  return {
    port,
    async close() {
      await Promise.all(
        servers.map(
          (server) =>
            new Promise<void>((resolve) => {
              server.close(() => resolve());
              server.closeAllConnections();
            }),
        ),
      );
    },
    stats: () => ({ ...counts, byModel: { ...byModel }, byStatus: { ...byStatus }, byFault: { ...byFault } }),
  };
}
