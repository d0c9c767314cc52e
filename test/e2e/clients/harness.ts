import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { after, before, describe, it } from 'node:test';
import {
  closeServer,
  listen,
  startGateway,
  TEST_KEY,
  type TestGateway,
  testModel,
  testProvider,
  testSnapshot,
  until,
} from '../../../src/gateway/testing.ts';
import { CASES, type Case, CLIENTS, UPSTREAMS, type Upstream } from './matrix.ts';
import { Proof } from './proven.ts';
import { pieces, type Scenario, says } from './scenario.ts';
import { anthropicMessages, gemini, openAiChat, openAiResponses, type Wire } from './wires.ts';

/** A PNG of one pixel. */
export const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
export const KEY = TEST_KEY;
export const CITIES = ['Oslo', 'Tōkyō'] as const;
export const SCHEMA = {
  type: 'object',
  properties: { city: { type: 'string' }, degrees: { type: 'number' } },
  required: ['city', 'degrees'],
  additionalProperties: false,
} as const;

interface Received {
  readonly path: string;
  readonly body: Record<string, unknown>;
  /** The body as text, to look for something in it whatever the wire format. */
  readonly text: string;
  isClosedEarly: boolean;
}

/** Providers that say what a test tells them to, behind a gateway. */
export class World {
  readonly received: Received[] = [];
  readonly #script: Scenario[] = [];
  readonly #server = createServer((request, response) => void this.#handle(request, response));
  #gateway: TestGateway | null = null;

  async start(): Promise<void> {
    const origin = `http://127.0.0.1:${await listen(this.#server)}`;
    this.#gateway = await startGateway(
      testSnapshot(origin, {
        providers: [
          testProvider(`${origin}/openai/v1`, { name: 'openai', kind: 'openai' }),
          testProvider(`${origin}/compatible/v1`, { name: 'openai-compatible', kind: 'openai-compatible' }),
          testProvider(`${origin}/anthropic/v1`, { name: 'anthropic', kind: 'anthropic' }),
          testProvider(`${origin}/gemini/v1beta`, { name: 'gemini', kind: 'gemini' }),
        ],
        models: [
          testModel('openai', { provider: 'openai', upstreamModel: 'gpt-4.1' }),
          testModel('openai-compatible', { provider: 'openai-compatible', upstreamModel: 'llama' }),
          testModel('gemini', { provider: 'gemini', upstreamModel: 'gemini-2.5-pro' }),
          testModel('anthropic', { provider: 'anthropic', upstreamModel: 'claude-sonnet-4-5' }),
        ],
        routes: [],
      }),
    );
  }

  async close(): Promise<void> {
    await this.#gateway?.close();
    await closeServer(this.#server);
  }

  get origin(): string {
    assert.ok(this.#gateway !== null);
    return this.#gateway.origin;
  }

  /** What the providers say to the next requests; after that a plain text. */
  next(...scenarios: readonly Scenario[]): void {
    this.#script.splice(0, this.#script.length, ...scenarios);
    this.received.length = 0;
  }

  get last(): Received {
    const last = this.received.at(-1);
    assert.ok(last !== undefined, 'a provider was asked');
    return last;
  }

  async settled(): Promise<void> {
    await until(() => this.#gateway?.gateway.stats.activeCalls === 0, 'no call is in flight');
    assert.deepEqual(
      this.#gateway?.logLines.filter((line) => line.event === 'gateway_defect'),
      [],
    );
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const path = request.url ?? '';
    const body = JSON.parse(text) as Record<string, unknown>;
    const received: Received = { path, body, text, isClosedEarly: false };
    this.received.push(received);
    response.on('close', () => {
      received.isClosedEarly = !response.writableFinished;
    });
    const wire = wireOf(path);
    const scenario = this.#script.shift() ?? says('ok');
    if (scenario.kind === 'error') {
      response.writeHead(scenario.status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(wire.error(scenario.status, scenario.message)));
      return;
    }
    const answer = { kind: 'answer', text: scenario.text, calls: scenario.kind === 'answer' ? scenario.calls : [] } as const;
    const model = typeof body.model === 'string' ? body.model : 'model';
    if (body.stream !== true && !path.includes(':streamGenerateContent')) {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(wire.json(answer, model)));
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const events = wire.events(answer, model);
    if (scenario.kind === 'hang') {
      const first = events.findIndex((event) => event.includes(pieces(scenario.text)[0] ?? ''));
      response.write(events.slice(0, first + 1).join(''));
      return;
    }
    for (const event of events) response.write(event);
    response.end();
  }
}

function wireOf(path: string): Wire {
  if (path.endsWith('/responses')) return openAiResponses;
  if (path.includes(':')) return gemini;
  return path.endsWith('/messages') ? anthropicMessages : openAiChat;
}

export interface CaseContext {
  readonly world: World;
  /** Name of the model; the same as the kind of provider that serves it. */
  readonly model: Upstream;
}

/** Runs every case of one client against every kind of provider, and keeps the record of them. */
export function proveClient(id: string, implementations: Readonly<Partial<Record<Case, (context: CaseContext) => Promise<void>>>>): void {
  const client = CLIENTS.find((candidate) => candidate.id === id);
  assert.ok(client !== undefined, `matrix.ts names no client "${id}"`);
  const cases = Object.entries(implementations);
  describe(`${client.package}: ${client.api}`, () => {
    const world = new World();
    const proof = new Proof(id, cases.length * UPSTREAMS.length);
    before(() => world.start());
    after(async () => {
      await world.close();
      proof.close();
    });
    for (const model of UPSTREAMS) {
      describe(`to ${model}`, () => {
        for (const [name, run] of cases)
          it(CASES[name as Case], async () => {
            await run({ world, model });
            await world.settled();
            proof.pass(model, name);
          });
      });
    }
  });
}

/** Two calls of one tool in one answer, and the answer once both have results. */
export const WEATHER_CALLS = CITIES.map((city, index) => ({ id: `toolu_${index}`, name: 'get_weather', input: { city } }));

/** The results of both calls were sent back, each with its id. */
export function assertResultsSent(world: World): void {
  for (const [index, city] of CITIES.entries()) {
    assert.ok(world.last.text.includes(`toolu_${index}`), `the id of call ${index}`);
    assert.ok(world.last.text.includes(`9 degrees in ${city}`), `the result of call ${index}`);
  }
}

export function weather(city: unknown): string {
  return `9 degrees in ${String(city)}`;
}
