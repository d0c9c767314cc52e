/**
 * What does it cost to choose a target? A call is built from its bytes and planned by a route of each strategy; the cost of building it is taken
 * off. Prints CPU µs per decision for a short question and for a request of 6 000 characters, with the JSON parse that the choice needs.
 * node bench/routing.ts [--decisions N] [--rounds N] [--json] [--smoke]
 */
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { parseArgs } from 'node:util';
import { JsonScanner } from '../src/gateway/body/json-scanner.ts';
import { Call } from '../src/gateway/call.ts';
import { compileSnapshot } from '../src/gateway/compiled-snapshot.ts';
import { openAiChat } from '../src/gateway/dialects/openai-chat.ts';
import type { GatewayContext } from '../src/gateway/gateway-context.ts';
import { classifyComplexity } from '../src/gateway/routing/complexity/classify.ts';
import { planRoute } from '../src/gateway/routing/plan-route.ts';
import { viewPrompt } from '../src/gateway/routing/prompt-view.ts';
import { RouteConfig, routePolicy, targetNames } from '../src/gateway/routing/route-config.ts';
import { RoutingRegistry } from '../src/gateway/routing/routing-registry.ts';
import { systemClock } from '../src/kernel/clock.ts';
import { benchSnapshot } from './gateway/snapshot.ts';

const { values: options } = parseArgs({
  options: {
    decisions: { type: 'string', default: '20000' },
    rounds: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
    smoke: { type: 'boolean', default: false },
  },
});
const decisions = options.smoke ? 200 : Number(options.decisions);
const rounds = options.smoke ? 1 : Number(options.rounds);
/** Most that the complexity classifier may take, µs. */
const CLASSIFIER_LIMIT = 300;

const [a, b, c] = ['bench-model', 'translated-model', 'third-model'];
const ROUTES = {
  priority: { targets: [a, b] },
  weight: { strategy: 'weight', targets: [a, b, c] },
  latency: { strategy: 'latency', targets: [a, b, c] },
  cost: { strategy: 'cost', targets: [a, b, c] },
  sticky: { strategy: 'sticky', targets: [a, b, c] },
  'condition: tags': { strategy: 'condition', targets: [{ model: a, when: { tags: { plan: ['gold'] } } }, b] },
  'condition: language': { strategy: 'condition', targets: [{ model: a, when: { languages: ['de'] } }, b] },
  'condition: time': {
    strategy: 'condition',
    targets: [{ model: a, when: { time: { zone: 'Europe/Berlin', from: '09:00', to: '17:00' } } }, b],
  },
  complexity: {
    strategy: 'complexity',
    targets: [
      { model: a, tier: 'simple' },
      { model: b, tier: 'medium' },
      { model: c, tier: 'complex' },
    ],
  },
} as const;

const base = benchSnapshot('http://127.0.0.1:1', 'plk_bench_key', 'none');
const [model] = base.models;
if (model === undefined) throw new Error('the bench snapshot has no model');
const registry = new RoutingRegistry();
const snapshot = compileSnapshot(
  {
    ...base,
    models: [...base.models, { ...model, name: c }],
    routes: Object.entries(ROUTES).map(([name, config]) => {
      const route = RouteConfig.parse(config);
      return { name, targets: targetNames(route), policy: routePolicy(route) };
    }),
  },
  () => 'x',
  registry,
);
const context = { clock: systemClock, routing: registry, random: Math.random } as unknown as GatewayContext; // all that planning reads
const feature = snapshot.features.get('bench');
const key = snapshot.findKey('plk_bench_key');
if (feature === undefined || key === null) throw new Error('the bench snapshot has no feature or key');
const scanner = new JsonScanner(64);
const request = new IncomingMessage(new Socket());
const SENTENCE = 'Please compare both approaches, consider the failure modes and explain which of them you would choose, and why. ';
const BODIES = Object.entries({ short: 'What is the status of order 1042?', long: SENTENCE.repeat(54).slice(0, 6_000) }).map(
  ([name, content]) => ({
    name,
    content,
    bytes: Buffer.from(
      JSON.stringify({
        model: 'main',
        messages: [
          { role: 'system', content: 'You help.' },
          { role: 'user', content },
        ],
      }),
    ),
  }),
);

/** CPU µs per call, planned or only built. */
function measure(bytes: Buffer, routeName: string | null): number {
  const destination = routeName === null ? null : (snapshot.destinations.get(routeName) ?? null);
  const before = process.cpuUsage();
  for (let index = 0; index < decisions; index++) {
    const call = new Call(request, new ServerResponse(request), openAiChat, snapshot, systemClock);
    call.caller = { key: key as NonNullable<typeof key>, feature: feature as NonNullable<typeof feature> }; // checked above
    call.session = `session ${index}`;
    call.body = openAiChat.scan(bytes, scanner, '');
    call.destination = destination;
    if (destination !== null) void planRoute(call, context);
  }
  const used = process.cpuUsage(before);
  return (used.user + used.system) / decisions;
}

function classifierCost(content: string): number {
  const view = viewPrompt({ messages: [{ role: 'user', content }] });
  const before = process.cpuUsage();
  for (let index = 0; index < decisions; index++) classifyComplexity(view);
  const used = process.cpuUsage(before);
  return (used.user + used.system) / decisions;
}

function print(name: string, samples: readonly number[], limit: number | null): void {
  const sorted = samples.toSorted((x, y) => x - y);
  const cpuMicroseconds = Math.round((sorted[Math.floor(sorted.length / 2)] ?? 0) * 100) / 100;
  const ratios = limit === null ? {} : { limit: Math.round((cpuMicroseconds / limit) * 1000) / 1000 };
  console.log(options.json ? JSON.stringify({ name, cpuMicroseconds, ratios }) : `${name.padEnd(36)} CPU µs a decision ${cpuMicroseconds}`);
}

for (const { name: size, bytes, content } of BODIES) {
  measure(bytes, null);
  for (const name of Object.keys(ROUTES)) {
    measure(bytes, name);
    // Interleaved, so that a busy neighbour hits both.
    const samples = Array.from({ length: rounds }, () => measure(bytes, name) - measure(bytes, null));
    print(`${name}, ${size}`, samples, null);
  }
  classifierCost(content);
  print(
    `classifier alone, ${size}`,
    Array.from({ length: rounds }, () => classifierCost(content)),
    CLASSIFIER_LIMIT,
  );
}
