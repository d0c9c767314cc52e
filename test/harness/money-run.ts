import assert from 'node:assert/strict';
import { Agent } from 'undici';
import type { LedgerAttempt } from '../../src/costs/store.ts';
import { engineClient } from '../fault/engine-client.ts';
import { BILLING_PRICES, type BillingProvider } from './billing-provider.ts';
import { eventually, type Plimsoll } from './plimsoll.ts';

/** Scopes of budgets. A feature of its own is limited by each, so that one load tries all of them. */
const BUDGETS_USD = {
  global: 0.02,
  organisation: 0.02,
  team: 0.012,
  user: 0.003,
  key: 0.012,
  feature: 0.02,
  customer: 0.004,
  session: 0.0015,
  model: 0.012,
  provider: 0.012,
} as const;
type Scope = keyof typeof BUDGETS_USD;
const SCOPES = Object.keys(BUDGETS_USD) as Scope[];

const CONCURRENCY = 5;
const MAX_STEPS = 12;
const REQUESTS_PER_DAY = 150;
const TOKENS_PER_DAY = 20_000;
/** Features whose calls are neither aborted nor ill served: what is let in is let in for good. */
const CALM = ['calm-concurrency', 'calm-steps', 'calm-requests', 'calm-tokens'] as const;
const FEATURES = [...SCOPES.map((scope) => `wild-${scope}`), ...CALM];

export const MONEY_KEYS = { MONEY_KEY_A: 'money-key-aaaaaaaaaaaa', MONEY_KEY_B: 'money-key-bbbbbbbbbbbb' };

/** A configuration in which every bound is reached by `loadMoney`. */
export function moneyConfig(port: number, extra: string): string {
  const provider = `{ kind: openai-compatible, baseUrl: "http://127.0.0.1:${port}/v1", timeouts: { connectMs: 2000, firstByteMs: 10000, idleMs: 10000, totalMs: 20000 } }`;
  const limitOf = (scope: Scope): string =>
    `  - { scope: ${scope}, ${scope === 'feature' ? 'name' : 'feature'}: wild-${scope}, budgetUsd: ${BUDGETS_USD[scope]} }\n`;
  return `version: 1
providers: { first: ${provider}, second: ${provider} }
models: { small: { provider: first, model: small-1 }, large: { provider: second, model: large-1 } }
prices: { small: ${BILLING_PRICES}, large: ${BILLING_PRICES} }
routes: { main: { targets: [small, large] } }
features:
${FEATURES.map((name) => `  ${name}: { owner: test, costOwner: a@example.com, route: main }\n`).join('')}keys:
  - { name: a, key: "\${MONEY_KEY_A}", team: red }
  - { name: b, key: "\${MONEY_KEY_B}", team: blue }
limits:
${SCOPES.map(limitOf).join('')}  - { scope: feature, name: calm-concurrency, concurrency: ${CONCURRENCY} }
  - { scope: session, feature: calm-steps, maxSteps: ${MAX_STEPS} }
  - { scope: global, feature: calm-requests, requestsPerDay: ${REQUESTS_PER_DAY} }
  - { scope: global, feature: calm-tokens, tokensPerDay: ${TOKENS_PER_DAY} }
${extra}`;
}

export interface MoneyLoad {
  /** Answers by feature and status. */
  readonly statuses: Map<string, number>;
  readonly broken: number;
}

/** Of the provider: long where calls are to pile up. */
export function latencyMs(feature: string): number {
  return feature === 'calm-concurrency' ? 200 : Math.random() * 20;
}

interface Call {
  readonly feature: string;
  readonly client: number;
  readonly number: number;
  readonly maxTokens: number;
}

function send(agent: Agent, origin: string, { feature, client, number, maxTokens }: Call, signal?: AbortSignal) {
  return agent.request({
    origin,
    path: '/v1/chat/completions',
    method: 'POST',
    ...(signal === undefined ? {} : { signal }),
    headers: {
      authorization: `Bearer ${number % 2 === 0 ? MONEY_KEYS.MONEY_KEY_A : MONEY_KEYS.MONEY_KEY_B}`,
      'content-type': 'application/json',
      'x-plimsoll-feature': feature,
      'x-plimsoll-user': `user-${client % 5}`,
      'x-plimsoll-customer': `customer-${client % 3}`,
      'x-plimsoll-session': `run-${client % 16}`,
    },
    body: JSON.stringify({
      model: 'main',
      stream: number % 3 === 1,
      max_tokens: maxTokens,
      messages: [{ role: 'user', content: `${feature.startsWith('calm') ? 'calm' : 'wild'} ${feature} ${'x'.repeat(number % 300)}` }],
    }),
  });
}

/** `clients` call by turns for all features, at all gateways, some of them leaving before the answer. */
export async function loadMoney(origins: readonly string[], clients: number, calls: number): Promise<MoneyLoad> {
  const agent = new Agent({ connections: clients });
  const statuses = new Map<string, number>();
  let broken = 0;
  let made = 0;
  const run = async (client: number): Promise<void> => {
    while (made < calls) {
      const number = made++;
      const feature = FEATURES[number % FEATURES.length] as string;
      const abort = new AbortController();
      const isCalm = feature.startsWith('calm');
      const timer = !isCalm && number % 9 === 0 ? setTimeout(() => abort.abort(), Math.random() * 30) : undefined;
      const origin = origins[(client + number) % origins.length] as string;
      try {
        const answer = await send(agent, origin, { feature, client, number, maxTokens: 20 + (number % 200) }, abort.signal);
        await answer.body.text();
        const place = `${feature} ${answer.statusCode}`;
        statuses.set(place, (statuses.get(place) ?? 0) + 1);
      } catch {
        broken++;
        await new Promise((resolve) => setTimeout(resolve, 10));
      } finally {
        clearTimeout(timer);
      }
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, client) => run(client)));
  await agent.close();
  return { statuses, broken };
}

/** Smallest calls, one after the other, from gateway to gateway, until all say that nothing is left. @returns how many were answered */
export async function spendTheRest(origins: readonly string[], feature: string): Promise<number> {
  const agent = new Agent({ connections: 1, pipelining: 0 });
  let answered = 0;
  let refusedInARow = 0;
  for (let number = 0; number < 600 && refusedInARow < 2 * origins.length + 4; number++) {
    const answer = await send(agent, origins[number % origins.length] as string, { feature, client: 0, number: 0, maxTokens: 1 });
    await answer.body.text();
    if (answer.statusCode === 200) answered++;
    refusedInARow = answer.statusCode === 429 ? refusedInARow + 1 : 0;
  }
  await agent.close();
  return answered;
}

interface LedgerRow {
  readonly call_id: string;
  readonly feature: string;
  readonly team: string;
  readonly user_id: string;
  readonly session_id: string;
  readonly customer: string;
  readonly key_id: string;
  readonly attempts: string;
  readonly is_recovered: number;
}

/** As it stands in the column: amounts as text. */
type Attempt = Omit<LedgerAttempt, 'costPicoUsd'> & { readonly costPicoUsd: string | null };

interface LedgerCall extends LedgerRow {
  readonly parsed: readonly Attempt[];
}

export async function readLedger(control: Plimsoll): Promise<LedgerCall[]> {
  await eventually(
    'the ingest has caught up',
    () => control.api<{ ingest: { pendingBytes: number } }>('/api/v1/status'),
    ({ ingest }) => ingest.pendingBytes === 0,
    60_000,
  );
  const client = await engineClient(control);
  try {
    const read = async (): Promise<LedgerRow[]> =>
      (
        await client.query({
          query:
            'SELECT call_id, feature, team, user_id, session_id, customer, key_id, attempts, is_recovered FROM ledger LIMIT 1 BY call_id',
          format: 'JSONEachRow',
        })
      ).json<LedgerRow>();
    let before = -1;
    // The newest records may still be on their way from a gateway.
    const rows = await eventually('the ledger is complete', read, (found) => {
      const isStill = found.length === before;
      before = found.length;
      return isStill;
    });
    return rows.map((row) => ({ ...row, parsed: JSON.parse(row.attempts) as Attempt[] }));
  } finally {
    await client.close();
  }
}

const MEMBER_OF: Record<Scope, (call: LedgerCall) => string> = {
  global: () => '',
  organisation: () => '',
  team: ({ team }) => team,
  user: (call) => call.user_id,
  key: (call) => call.key_id,
  feature: ({ feature }) => feature,
  customer: ({ customer }) => customer,
  session: (call) => call.session_id,
  model: () => '',
  provider: () => '',
};

const PICO = 10n ** 12n;

function costOf(attempts: readonly Attempt[]): bigint {
  return attempts.reduce((sum, { costPicoUsd }) => sum + BigInt(costPicoUsd ?? 0), 0n);
}

/**
 * What each member of a scope has spent, pico-dollars.
 * @param hasBooked counts calls that their process took along at their first target, where limits book them: it is not known where they were
 */
function spentBy(scope: Scope, calls: readonly LedgerCall[], hasBooked: boolean): Map<string, bigint> {
  const spent = new Map<string, bigint>();
  const add = (member: string, cost: bigint): void => void spent.set(member, (spent.get(member) ?? 0n) + cost);
  for (const call of calls) {
    if (scope === 'model' || scope === 'provider') {
      if (hasBooked || call.is_recovered === 0) for (const attempt of call.parsed) add(attempt[scope], costOf([attempt]));
    } else add(MEMBER_OF[scope](call), costOf(call.parsed));
  }
  return spent;
}

export interface MoneyExpectation {
  /** Processes were killed: their calls are in the ledger by their estimates. */
  readonly hasKills: boolean;
  /** Every bound was reached by the load. */
  readonly isUsedUp: boolean;
  /** How far a bound may be passed; 0 but where gateways were told to go on by themselves. */
  readonly excessRatio?: number;
}

/** The ledger is the provider's invoice; no bound was passed; what there was, was used. */
export function checkMoney(
  ledger: readonly LedgerCall[],
  provider: BillingProvider,
  { hasKills, isUsedUp, excessRatio = 0 }: MoneyExpectation,
): void {
  const attempts = ledger.flatMap(({ parsed }) => parsed);
  const reported = attempts.filter(({ usageSource }) => usageSource === 'reported');
  const receipts = reported.map(({ providerUsage }) => (JSON.parse(providerUsage ?? '{}') as { receipt: string }).receipt);
  for (const [index, { costPicoUsd }] of reported.entries())
    assert.equal(BigInt(costPicoUsd ?? -1), provider.invoice.get(receipts[index] ?? '')?.picoUsd, `${receipts[index]}`);
  assert.equal(new Set(receipts).size, reported.length, 'no answer is booked twice');
  const booked = new Set(receipts);
  for (const feature of CALM) {
    const calls = ledger.filter((call) => call.feature === feature);
    const unknown = [...provider.invoice].filter(([receipt, entry]) => entry.feature === feature && !booked.has(receipt));
    // What was answered to a process that was killed is in the ledger by its estimate.
    const recovered = calls.filter((call) => call.is_recovered === 1).length;
    assert.ok(unknown.length <= recovered, `${feature}: ${unknown.length} answers are not booked, ${recovered} calls were recovered`);
    assert.ok(hasKills || recovered === 0, `${recovered} calls of ${feature} were recovered`);
  }
  const most = (bound: number): number => Math.floor(bound * (1 + excessRatio));
  for (const scope of SCOPES) {
    const budget = (BigInt(Math.round(BUDGETS_USD[scope] * 1e9)) * PICO) / 1_000_000_000n;
    const calls = ledger.filter(({ feature }) => feature === `wild-${scope}`);
    for (const [member, pico] of spentBy(scope, calls, false))
      assert.ok(pico <= BigInt(most(Number(budget))), `${scope} ${member}: ${pico} of ${budget}`);
    const largest = [...spentBy(scope, calls, true).values()].reduce((max, pico) => (pico > max ? pico : max), 0n);
    if (isUsedUp) assert.ok(largest * 100n > budget * 85n, `${scope}: only ${largest} of ${budget} was used`);
  }
  const answered = ledger.filter(({ parsed }) => parsed.length > 0);
  const count = (feature: string): number => answered.filter((call) => call.feature === feature).length;
  const requests = count('calm-requests');
  assert.ok(requests <= most(REQUESTS_PER_DAY), `${requests} requests`);
  const steps = Map.groupBy(
    answered.filter(({ feature }) => feature === 'calm-steps'),
    (call) => call.session_id,
  );
  for (const [session, calls] of steps) assert.ok(calls.length <= most(MAX_STEPS), `${session}: ${calls.length} steps`);
  const tokens = answered
    .filter(({ feature }) => feature === 'calm-tokens')
    .flatMap(({ parsed }) => parsed)
    .reduce((sum, { usage }) => sum + (usage === null ? 0 : usage.inputUncachedTokens + usage.outputTextTokens), 0);
  assert.ok(tokens <= most(TOKENS_PER_DAY), `${tokens} tokens`);
  const inFlight = provider.mostInFlight.get('calm-concurrency') ?? 0;
  // A gateway that is killed leaves its calls at the provider for a moment.
  if (!hasKills) assert.ok(inFlight <= CONCURRENCY, `${inFlight} at a time`);
  if (!isUsedUp) return;
  assert.ok(requests > REQUESTS_PER_DAY * (hasKills ? 0.8 : 0.999), `only ${requests} requests were let in`);
  if (!hasKills) assert.ok(inFlight === CONCURRENCY, `never more than ${inFlight} at a time`);
}

/** The books of a feature's budget after `spendTheRest`: less is left than the smallest call may cost. */
export function checkNothingStranded(ledger: readonly LedgerCall[]): void {
  const spent = costOf(ledger.filter(({ feature }) => feature === 'wild-feature').flatMap(({ parsed }) => parsed));
  const left = (BigInt(Math.round(BUDGETS_USD.feature * 1e9)) * PICO) / 1_000_000_000n - spent;
  assert.ok(left >= 0n && left < 100n * 1_000_000n, `${left} pico-dollars are left`);
}

/** Reservations that are held in a tree; all of its workers answer. */
export async function outstanding(plimsoll: Plimsoll): Promise<number> {
  const text = await (await fetch(`${plimsoll.url}/metrics`)).text();
  return Number(/^plimsoll_reservations_outstanding (\d+)$/m.exec(text)?.[1] ?? Number.NaN);
}
