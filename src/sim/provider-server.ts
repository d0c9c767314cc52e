import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Clock, Timer } from '../kernel/clock.ts';
import { parseJsonText } from '../kernel/parse-json.ts';
import { type Administered, answerAdmin } from './admin-api.ts';
import { AnsweringEngine, type Bearings } from './answering.ts';
import { createAnswerIndex } from './answers.ts';
import { type WireFailure, wireFailure } from './chat-request.ts';
import { resolveProfiles, type SimConfig } from './config.ts';
import { CORPUS_FEATURES } from './corpus/features.ts';
import { deliverBody } from './delivery.ts';
import { createEndpoints } from './endpoints.ts';
import { badKeyFailure, dialectFailure } from './failures.ts';
import { FaultBoard } from './fault-board.ts';
import { type Invoice, InvoiceBook } from './invoice.ts';
import { listen, SwitchableListener } from './listeners.ts';
import { ModelBoard } from './model-board.ts';
import { seededRandom } from './seeded-random.ts';
import type { ListedModel, WireEndpoint } from './wire.ts';

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
  /** What was billed since the start or the last reset. */
  invoice(): Invoice;
  resetInvoice(): void;
}

const MAXIMUM_BODY_BYTES = 64 * 1024 * 1024;

/** Reads a body; null when it is longer than the limit. */
async function readBody(request: IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAXIMUM_BODY_BYTES) return null;
    chunks.push(chunk);
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
}

/** The caller's key, wherever its dialect puts it; of a signed request the access key id. */
function apiKeyOf({ headers }: IncomingMessage, query: URLSearchParams): string {
  for (const name of ['x-api-key', 'api-key', 'x-goog-api-key']) {
    const value = headers[name];
    if (typeof value === 'string') return value;
  }
  const authorization = headers.authorization ?? '';
  return (
    /^AWS4-HMAC-SHA256 .*?Credential=([^/,\s]+)/.exec(authorization)?.[1] ?? query.get('key') ?? authorization.replace(/^Bearer\s+/i, '')
  );
}

function parseJson(bytes: Buffer): { readonly value: unknown } | null {
  try {
    return { value: parseJsonText(bytes.toString('utf8')) };
  } catch {
    return null; // the caller gets what a provider says
  }
}

/**
 * Starts the simulated providers: every dialect under its own prefix (`/openai/v1`, `/anthropic/v1` …) and at the root, administration under
 * `/sim/`. Every answer carries `x-plimsoll-simulated: true`.
 * @throws PlimsollError `port_in_use`
 */
export async function startSimulatedProviders(options: SimulatedProvidersOptions): Promise<SimulatedProviders> {
  const { config, clock } = options;
  const seed = options.seed ?? config.seed;
  const host = options.host ?? '127.0.0.1';
  const invoice = new InvoiceBook(clock.nowMs());
  const faults = new FaultBoard();
  const models = new ModelBoard(resolveProfiles(config));
  const engine = new AnsweringEngine({ config, clock, seed, models, faults, invoice, index: createAnswerIndex(CORPUS_FEATURES) });
  const endpoints = createEndpoints();
  const listed = (): ListedModel[] =>
    models.list().map(({ name, profile: { contextTokens, maxOutputTokens } }) => ({ name, contextTokens, maxOutputTokens }));
  const counts = { requests: 0, open: 0, aborted: 0 };
  const byStatus: Record<string, number> = {};
  const stats = (): SimulatedProvidersStats => ({
    ...counts,
    byModel: { ...engine.byModel },
    byStatus: { ...byStatus },
    byFault: { ...engine.byFault },
  });

  // Longer than a gateway keeps its idle connections, so that it never sends into one that is being closed.
  const create = (): ReturnType<typeof createServer> => createServer({ keepAliveTimeout: 60_000 }, handle);
  const server = create();
  const listener = new SwitchableListener(server, host);
  let listenerTimer: Timer | null = null;
  const syncListener = (): void => {
    listenerTimer?.cancel();
    const { state, changesAtMs } = faults.listenerState(clock.nowMs());
    listenerTimer = changesAtMs === null ? null : clock.setTimer(changesAtMs - clock.nowMs(), syncListener);
    void listener.become(state);
  };
  const administered: Administered = {
    invoice,
    faults,
    models,
    nowMs: () => clock.nowMs(),
    stats,
    // After the answer to the switch itself.
    faultsChanged: () => void setImmediate(syncListener),
  };

  async function administer(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const send = (status: number, body: unknown): void => {
      const text = JSON.stringify(body);
      response
        .writeHead(status, {
          'x-plimsoll-simulated': 'true',
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(text),
        })
        .end(text);
    };
    const text = await readBody(request);
    if (config.apiKey !== undefined && apiKeyOf(request, url.searchParams) !== config.apiKey)
      return send(401, { error: { message: 'The key of the simulation is needed' } });
    // A web page cannot send this type without asking first, and is never answered.
    if (request.method !== 'GET' && request.headers['content-type']?.startsWith('application/json') !== true)
      return send(415, { error: { message: 'content-type: application/json is needed' } });
    const body = text === null || text.length === 0 ? { value: undefined } : parseJson(text);
    if (body === null) return send(400, { error: { message: 'The body is not JSON' } });
    const reply = answerAdmin(request.method ?? 'GET', url.pathname.slice('/sim/'.length), url.searchParams, body.value, administered);
    send(reply.status, reply.body);
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const arrivedMs = clock.monotonicMs();
    const url = new URL(request.url ?? '/', 'http://sim');
    const { pathname: path, searchParams: query } = url;
    if (path.startsWith('/sim/')) return administer(request, response, url);
    const method = request.method ?? 'GET';
    const found = endpoints.find(method, path, request.headers);
    const { dialect } = found;
    const requestId = `req_${seededRandom(seed, 'request', counts.requests).hex(24)}`;
    const headers: Record<string, string> = { 'x-plimsoll-simulated': 'true', [dialect.requestIdHeader]: requestId };
    const apiKey = apiKeyOf(request, query);
    const bearings: Bearings = {
      dialect,
      requestId,
      apiKey,
      faultHeader: (request.headers['x-sim-fault'] as string | undefined) || null, // Node joins repeated headers
      delivery: { response, clock, arrivedMs, latencyFactor: config.latencyFactor, faults: [] },
      headers,
    };
    const fail = (failure: WireFailure): Promise<void> => engine.refuse(bearings, failure);
    const bytes = await readBody(request);
    if (bytes === null) return fail(wireFailure(413, 'too_large', 'Request exceeds the maximum size'));
    if (found.endpoint === 'unknown') return fail(dialectFailure(dialect, 404, 'unknown_path', dialect.words.unknownPath(method, path)));
    if (config.apiKey !== undefined && apiKey !== config.apiKey) return fail(badKeyFailure(dialect));
    if (found.endpoint === null) return fail(wireFailure(405, 'wrong_method', `Not allowed to ${method} on ${path}.`));
    const body = bodyFor(found.endpoint, bytes);
    if (body === null) return fail(wireFailure(400, 'invalid', 'We could not parse the JSON body of your request.'));
    const outcome = await found.endpoint.handle({
      groups: found.groups,
      headers: request.headers,
      query,
      body: body.value,
      models: listed(),
    });
    switch (outcome.kind) {
      case 'failure':
        return fail(outcome.failure);
      case 'reply':
        await deliverBody(bearings.delivery, 200, headers, 'application/json', JSON.stringify(outcome.body), 0);
        return;
      case 'generate':
      case 'direct':
        return engine.answer(bearings, outcome);
    }
  }

  function handle(request: IncomingMessage, response: ServerResponse): void {
    counts.requests++;
    counts.open++;
    response.once('close', () => {
      counts.open--;
      const status = response.headersSent ? `${response.statusCode}` : 'none';
      byStatus[status] = (byStatus[status] ?? 0) + 1;
      if (!response.writableFinished) counts.aborted++;
    });
    // A client that leaves while its body is read ends here too; there is nobody left to tell.
    answer(request, response).catch(() => void response.destroy());
  }

  const port = await listener.open(options.port);
  // Faults of the listener do not reach this one, so that they can be switched off again.
  const second = config.port !== undefined && config.port !== port ? create() : null;
  try {
    if (second !== null) await listen(second, config.port ?? 0, host);
  } catch (thrown) {
    await listener.close();
    throw thrown;
  }
  return {
    port,
    async close() {
      listenerTimer?.cancel();
      await listener.close();
      if (second === null) return;
      await new Promise<void>((resolve) => {
        second.close(() => resolve());
        second.closeAllConnections();
      });
    },
    stats,
    invoice: () => invoice.read(),
    resetInvoice: () => invoice.reset(clock.nowMs()),
  };
}

function bodyFor(endpoint: WireEndpoint, bytes: Buffer): { readonly value: unknown } | null {
  if (endpoint.takesRawBody === true) return { value: bytes };
  return endpoint.method === 'POST' ? parseJson(bytes) : { value: undefined };
}
