import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { after, afterEach, before, describe, it } from 'node:test';
import { Agent } from 'undici';
import type { CallAttempt, CallSettled } from '../traces/call-record.ts';
import { rules } from './admission/testing.ts';
import {
  type ScriptedUpstream,
  sendJson,
  startGateway,
  startUpstream,
  type TestGateway,
  testFeature,
  testKey,
  testModel,
  testProvider,
  testSnapshot,
  until,
} from './testing.ts';

const CLIENTS = 256;
const CALLS = 800;

/** Per scope a budget that its members reach in this load, US dollars; all other scopes have one too, that they do not reach. */
const TIGHT_USD = {
  global: 0.08,
  organisation: 0.08,
  team: 0.03,
  user: 0.004,
  key: 0.02,
  feature: 0.02,
  customer: 0.008,
  session: 0.001,
  model: 0.03,
  provider: 0.03,
} as const;
type Scope = keyof typeof TIGHT_USD;
const SCOPES = Object.keys(TIGHT_USD) as Scope[];

/** What the provider bills, by answer: pico-dollars at 1 µ$ an input and 4 µ$ an output token. */
const invoice = new Map<string, bigint>();
let answers = 0;

/** Answers, fails, breaks off and lies; bills each answer that it finishes, never more than was asked for. */
function misbehave(json: Record<string, unknown>, bytes: number, response: ServerResponse): void {
  const id = `chatcmpl-${++answers}`;
  const usage = { prompt_tokens: Math.floor(bytes / 8), completion_tokens: Math.floor(Math.random() * (json.max_tokens as number)) };
  const bill = (): void => void invoice.set(id, BigInt(usage.prompt_tokens) * 1_000_000n + BigInt(usage.completion_tokens) * 4_000_000n);
  const base = { id, created: 1, model: json.model };
  const chunk = (choices: unknown[], rest = {}): string => `data: ${JSON.stringify({ ...base, choices, ...rest })}\n\n`;
  const fate = Math.random();
  if (fate < 0.08) sendJson(response, { error: { message: 'overloaded' } }, 503);
  else if (fate < 0.12) response.destroy();
  else if (fate < 0.15) sendJson(response, { error: { message: 'slow down' } }, 429);
  else if (json.stream !== true) {
    bill();
    sendJson(response, { ...base, choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }], usage });
  } else {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(chunk([{ index: 0, delta: { content: 'Hi' }, finish_reason: null }]));
    if (fate < 0.22) setImmediate(() => response.destroy());
    else {
      setTimeout(() => {
        if (response.destroyed) return;
        bill();
        response.end(`${chunk([{ index: 0, delta: {}, finish_reason: 'stop' }])}${chunk([], { usage })}data: [DONE]\n\n`);
      }, Math.random() * 4);
    }
  }
}

const KEYS = ['plk_a', 'plk_b', 'plk_c'];

/** Whose budget a call belongs to. */
const MEMBER_OF: Partial<Record<Scope, (call: CallSettled) => string | null>> = {
  global: () => '',
  organisation: (call) => call.organisationId,
  team: (call) => call.team,
  user: (call) => call.user,
  key: (call) => call.keyId.replace('key-', ''),
  feature: (call) => call.feature,
  customer: (call) => call.customer,
  session: (call) => call.session,
};

describe(`money under ${CLIENTS} clients, with aborts, fallbacks and broken streams`, { timeout: 600_000 }, () => {
  let upstream: ScriptedUpstream;
  let running: TestGateway;
  before(async () => {
    upstream = await startUpstream((request, response) => misbehave(request.json, request.body.length, response));
  });
  after(() => upstream.close());
  afterEach(() => running.close());

  for (const tight of SCOPES) {
    it(`a budget per ${tight} is not overspent, nothing stays reserved, the books are the invoice`, async () => {
      const limits = SCOPES.map((scope) => ({ scope, budgetUsd: scope === tight ? TIGHT_USD[scope] : 50 }));
      running = await startGateway(
        testSnapshot(upstream.baseUrl, {
          limitRules: rules(limits),
          providers: [testProvider(upstream.baseUrl), testProvider(upstream.baseUrl, { name: 'second' })],
          models: [testModel('small'), testModel('large', { provider: 'second' })],
          features: [testFeature('support'), testFeature('billing')],
          keys: KEYS.map((token, index) =>
            testKey(token, { feature: index === 0 ? 'support' : null, team: index === 2 ? 'other' : 'support' }),
          ),
          limits: { ...testSnapshot(upstream.baseUrl).limits, maxConcurrentRequests: 1_000 },
        }),
      );
      await load(running);
      check(running, tight);
    });
  }
});

async function load(running: TestGateway): Promise<void> {
  const agent = new Agent({ connections: CLIENTS });
  let calls = 0;
  const codes = new Map<string, number>();
  const client = async (number: number): Promise<void> => {
    while (calls < CALLS) {
      const call = calls++;
      const token = KEYS[call % KEYS.length] as string;
      const abort = new AbortController();
      if (call % 9 === 0) setTimeout(() => abort.abort(), Math.random() * 6);
      try {
        const answer = await agent.request({
          origin: running.origin,
          path: '/v1/chat/completions',
          method: 'POST',
          signal: abort.signal,
          headers: {
            authorization: `Bearer ${token}`,
            'content-type': 'application/json',
            'x-plimsoll-feature': token === 'plk_a' || call % 2 === 0 ? 'support' : 'billing',
            'x-plimsoll-user': `user-${number % 16}`,
            'x-plimsoll-customer': `customer-${number % 7}`,
            'x-plimsoll-session': `run-${number}-${Math.floor(call / 400)}`,
          },
          body: JSON.stringify({
            model: 'main',
            stream: call % 2 === 1,
            max_tokens: 20 + (call % 200),
            messages: [{ role: 'user', content: 'x'.repeat(call % 700) }],
          }),
        });
        await answer.body.text();
        codes.set(`${answer.statusCode}`, (codes.get(`${answer.statusCode}`) ?? 0) + 1);
      } catch {
        codes.set('broken', (codes.get('broken') ?? 0) + 1);
      }
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, (_, number) => client(number)));
  await agent.close();
  await until(() => running.gateway.stats.activeCalls === 0, 'all calls are over');
  assert.ok((codes.get('200') ?? 0) > 50 && (codes.get('broken') ?? 0) > 5, [...codes].join(' '));
}

function sumCost(attempts: readonly CallAttempt[]): bigint {
  return attempts.reduce((sum, attempt) => sum + BigInt(attempt.costPicoUsd ?? 0), 0n);
}

function check(running: TestGateway, tight: Scope): void {
  const { settled } = running.journal;
  const attempts = settled.flatMap((call) => call.attempts);

  // The ledger is the provider's invoice, answer by answer, to the pico-dollar; what broke off is estimated and says so.
  const reported = attempts.filter((attempt) => attempt.usageSource === 'reported');
  for (const { responseId, costPicoUsd } of reported)
    assert.equal(BigInt(costPicoUsd ?? -1), invoice.get(responseId ?? ''), `${responseId}`);
  assert.equal(new Set(reported.map(({ responseId }) => responseId)).size, reported.length);
  assert.ok(settled.every((call) => call.status !== 'ok' || call.attempts.at(-1)?.usageSource === 'reported'));

  // What admission booked is the ledger, per member of every scope; nothing is overspent, nothing stays reserved.
  const budgets = running.gateway.limits(1_000).filter(({ unit }) => unit === 'nano_usd');
  assert.equal(budgets.length, SCOPES.length);
  for (const { id, scope, capacity, top } of budgets) {
    for (const { member, used, reserved } of top) {
      assert.equal(reserved, '0', `${id} ${member}`);
      assert.ok(BigInt(used) <= BigInt(capacity), `${id} ${member}: ${used} of ${capacity}`);
      const memberOf = MEMBER_OF[scope];
      const booked =
        memberOf === undefined
          ? attempts.filter((attempt) => (scope === 'model' ? attempt.model : attempt.provider) === member)
          : settled.filter((call) => memberOf(call) === member).flatMap((call) => call.attempts);
      assert.equal(BigInt(used), sumCost(booked), `${id} ${member}`);
    }
  }
  const tried = budgets.find(({ scope }) => scope === tight);
  assert.ok((tried?.refused ?? 0) > 20, `only ${tried?.refused} refused by the budget per ${tight}`);
  assert.ok(BigInt(tried?.top[0]?.used ?? 0) * 10n > BigInt(tried?.capacity ?? 0) * 8n, 'the budget was not used');
  assert.match(running.gateway.metrics(), /^plimsoll_reservations_outstanding 0$/m);
}
