/** What the tests of this room share: a journal in memory, a provider that follows a script, a snapshot, a gateway on a port. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { keyHmac } from '../identity/virtual-key.ts';
import { type Clock, systemClock } from '../kernel/clock.ts';
import { PlimsollError } from '../kernel/errors.ts';
import { payloadBytes } from '../kernel/journal/frame-encoder.ts';
import type { JournalEntry, JournalRecord, JournalWriter } from '../kernel/journal/record.ts';
import { decodeCallPayload } from '../traces/call-payload-codec.ts';
import type { CallOpened, CallPayload, CallSettled } from '../traces/call-record.ts';
import type { AnswerCache } from './cache/answer-cache.ts';
import { FrontDoor } from './downstream/front-door.ts';
import { isCallUrl } from './endpoints.ts';
import type { HealthPolicy, RoutePolicy, TargetPolicy } from './routing/policy.ts';
import { createGateway, type Gateway } from './server.ts';
import type { Snapshot, SnapshotFeature, SnapshotKey, SnapshotModel, SnapshotProvider, SnapshotRoute } from './snapshot.ts';

/** Keeps records as they were appended; "written" a turn of the event loop later, as on disk. */
export class MemoryJournal implements JournalWriter {
  readonly records: JournalRecord[] = [];
  readonly opened: CallOpened[] = [];
  readonly settled: CallSettled[] = [];
  readonly payloads: CallPayload[] = [];
  writtenCount = 0;
  accepts = true;
  #batch: Promise<void> | null = null;

  append(entry: JournalEntry): void {
    if (!this.accepts && entry.type === 'payload') return;
    if (!this.accepts) throw new PlimsollError('journal_full', 'The test says that the disk is full.');
    const record: JournalRecord = { ...entry, payload: payloadBytes(entry.payload) };
    this.records.push(record);
    if (record.type === 'payload') {
      this.payloads.push(decodeCallPayload(record));
      return;
    }
    const value: unknown = JSON.parse(record.payload.toString());
    if (record.type === 'call.opened') this.opened.push(value as CallOpened);
    else if (record.type === 'call.settled') this.settled.push(value as CallSettled);
  }

  written(): Promise<void> {
    this.#batch ??= new Promise((resolve) =>
      setImmediate(() => {
        this.#batch = null;
        this.writtenCount = this.records.length;
        resolve();
      }),
    );
    return this.#batch;
  }

  sync(): Promise<boolean> {
    return this.written().then(() => true);
  }

  canAccept(): boolean {
    return this.accepts;
  }

  get stats() {
    return { shedPayloads: 0, appended: this.records.length, bytes: 0, isDegraded: false };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

export interface UpstreamRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  /** Bytes as they came. */
  readonly body: string;
  readonly json: Record<string, unknown>;
}

export type UpstreamScript = (request: UpstreamRequest, response: ServerResponse, raw: IncomingMessage) => void | Promise<void>;

export interface ScriptedUpstream {
  readonly baseUrl: string;
  readonly requests: UpstreamRequest[];
  script: UpstreamScript;
  close(): Promise<void>;
}

export function listen(server: Server): Promise<number> {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)));
}

export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

/** A provider on a port of its own that does what `script` says, one call at a time. */
export async function startUpstream(script: UpstreamScript): Promise<ScriptedUpstream> {
  const requests: UpstreamRequest[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      const json = JSON.parse(body === '' ? '{}' : body) as Record<string, unknown>;
      const entry = { method: request.method ?? '', path: request.url ?? '', headers: request.headers, body, json };
      requests.push(entry);
      void upstream.script(entry, response, request);
    });
  });
  const port = await listen(server);
  const upstream: ScriptedUpstream = { baseUrl: `http://127.0.0.1:${port}/v1`, requests, script, close: () => closeServer(server) };
  return upstream;
}

const PEPPER = '00'.repeat(32);
export const TEST_KEY = 'plk_test_key_of_support';

export function testProvider(baseUrl: string, overrides: Partial<SnapshotProvider> = {}): SnapshotProvider {
  return {
    name: 'upstream',
    kind: 'openai',
    baseUrl,
    apiKey: { literal: 'sk-upstream' },
    headers: {},
    timeouts: { connectMs: 500, firstByteMs: 2000, idleMs: 2000, totalMs: 10_000 },
    maxConnections: 64,
    dialect: 'openai',
    isSimulated: false,
    ...overrides,
  };
}

/** 1 µ$ per input token, 4 µ$ per output token. */
export const TEST_PRICE = {
  priceId: 'test@1',
  perToken: { inputUncachedTokens: '1000000', cacheReadTokens: '500000', outputTextTokens: '4000000' },
  perRequest: null,
  tiers: [],
};

export function testModel(name: string, overrides: Partial<SnapshotModel> = {}): SnapshotModel {
  return { name, provider: 'upstream', upstreamModel: `${name}-2026-01-01`, price: TEST_PRICE, ...overrides };
}

export function testKey(token: string, overrides: Partial<SnapshotKey> = {}): SnapshotKey {
  return {
    id: `key-${token}`,
    name: token,
    hmac: keyHmac(PEPPER, token),
    feature: 'support',
    team: 'support-team',
    models: null,
    expiresAtMs: null,
    ...overrides,
  };
}

export function testFeature(name: string, overrides: Partial<SnapshotFeature> = {}): SnapshotFeature {
  return { name, owner: null, costOwner: null, route: 'main', payloads: 'full', ...overrides };
}

/** What plimsoll.yaml gives when it says nothing, with waits that a test can afford. */
export const TEST_HEALTH: HealthPolicy = {
  consecutiveFailures: 3,
  intervalMs: 10_000,
  failureRatio: 0.5,
  minimumCalls: 20,
  successRateStdevFactor: 1.9,
  minimumTargets: 5,
  baseEjectionMs: 30_000,
  maxEjectionMs: 300_000,
  maxEjectionRatio: 0.5,
  probes: null,
};

/** A route with a policy. @param targets model aliases, with what the route says of each where that is not the default */
export function testRoute(
  targets: Readonly<Record<string, Partial<TargetPolicy>>>,
  overrides: Partial<RoutePolicy> = {},
  name = 'main',
): SnapshotRoute {
  return {
    name,
    targets: Object.keys(targets),
    policy: {
      strategy: 'priority',
      targets: Object.values(targets).map((target) => ({ weight: 1, tier: null, when: null, ...target })),
      stickyBy: 'session',
      classifier: null,
      shadow: null,
      retries: { maxAttempts: 1, baseDelayMs: 1, maxDelayMs: 2_000, budgetRatio: 0.2, deadlineMs: 60_000 },
      hedge: null,
      onContentFilter: 'fail',
      ...overrides,
    },
  };
}

/** One provider, models `small` and `large`, route `main` over both. */
export function testSnapshot(baseUrl: string, overrides: Partial<Snapshot> = {}): Snapshot {
  return {
    epoch: 7,
    schemaVersion: 1,
    organisationId: 'default',
    environment: 'production',
    createdAtMs: 1_760_000_000_000,
    keyPepper: PEPPER,
    providers: [testProvider(baseUrl)],
    models: [testModel('small'), testModel('large')],
    routes: [{ name: 'main', targets: ['small', 'large'] }],
    features: [testFeature('support'), testFeature('billing')],
    keys: [testKey(TEST_KEY), testKey('plk_test_unbound', { feature: null, team: null })],
    limits: { maxBodyBytes: 1_000_000, maxJsonDepth: 64, maxConcurrentRequests: 100, maxPayloadBytes: 100_000 },
    ...overrides,
  };
}

export interface TestGateway {
  readonly gateway: Gateway;
  readonly journal: MemoryJournal;
  readonly logLines: Record<string, unknown>[];
  /** Answers whose clients left before the end, as the gateway has heard by now. */
  readonly clientsGone: number;
  readonly origin: string;
  readonly baseUrl: string;
  snapshot: Snapshot | null;
  close(): Promise<void>;
}

export async function startGateway(
  snapshot: Snapshot | null,
  clock: Clock = systemClock,
  sharedCache: AnswerCache | null = null,
  random: () => number = Math.random,
): Promise<TestGateway> {
  const journal = new MemoryJournal();
  const logLines: Record<string, unknown>[] = [];
  const gateway = createGateway({
    clock,
    journal,
    snapshots: { current: () => running.snapshot },
    random,
    resolveSecret: (reference) => (reference !== null && 'literal' in reference ? reference.literal : null),
    sharedCache,
    writeLogLine: (line) => logLines.push(JSON.parse(line) as Record<string, unknown>),
  });
  const handle: Gateway['handler'] = (request, response) => {
    response.once('close', () => {
      if (!response.writableFinished) running.clientsGone++;
    });
    gateway.handler(request, response);
  };
  const server = createServer((request, response) => handle(request, response));
  const frontDoor = new FrontDoor(server, { clock, takes: isCallUrl, handle });
  const port = await listen(server);
  const running = {
    gateway,
    journal,
    logLines,
    clientsGone: 0,
    origin: `http://127.0.0.1:${port}`,
    baseUrl: `http://127.0.0.1:${port}/v1`,
    snapshot,
    async close() {
      frontDoor.destroy();
      await closeServer(server);
      await gateway.drain(0);
    },
  };
  return running;
}

/**
 * Waits until `condition` holds, checking after each turn of the event loop.
 * @param limitMs when a test is given up that would wait for ever; no claim about speed
 */
export async function until(condition: () => boolean, what: string, limitMs = 60_000): Promise<void> {
  const end = performance.now() + limitMs;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`Waited ${limitMs} ms in vain until ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/**
 * Gives what may happen at once the room to happen: client, gateway and provider of these tests share one event loop, where everything that does
 * not wait for a clock takes a few turns. What has not happened after these was not under way.
 */
export async function manyTurns(count = 100): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

export function completion(content: string, overrides: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1_760_000_000,
    model: 'small-2026-01-01',
    choices: [{ index: 0, message: { role: 'assistant', content, refusal: null }, logprobs: null, finish_reason: 'stop' }],
    usage: { prompt_tokens: 20, completion_tokens: 5, total_tokens: 25, prompt_tokens_details: { cached_tokens: 8 } },
    ...overrides,
  };
}

export function sendJson(response: ServerResponse, body: unknown, status = 200, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

function chunkOf(choices: unknown[], rest: Record<string, unknown> = {}): string {
  const chunk = { id: 'chatcmpl-2', object: 'chat.completion.chunk', created: 1_760_000_000, model: 'small-2026-01-01', choices, ...rest };
  return `data: ${JSON.stringify(chunk)}\n\n`;
}

/** Events of a streamed answer: role, one per piece, finish, usage, `[DONE]`. */
export function streamEvents(pieces: readonly string[], options: { usage?: boolean; done?: boolean } = {}): string[] {
  const events = [chunkOf([{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }])];
  for (const content of pieces) events.push(chunkOf([{ index: 0, delta: { content }, finish_reason: null }]));
  events.push(chunkOf([{ index: 0, delta: {}, finish_reason: 'stop' }]));
  if (options.usage !== false) events.push(chunkOf([], { usage: { prompt_tokens: 12, completion_tokens: 3, total_tokens: 15 } }));
  if (options.done !== false) events.push('data: [DONE]\n\n');
  return events;
}

export function sendStream(response: ServerResponse, events: readonly string[]): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const event of events) response.write(event);
  response.end();
}
