import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { FakeClock } from '../kernel/clock.ts';
import type { JournaledEvent } from '../kernel/event-log/journaled-event.ts';
import { createJobRunner, type JobRunner } from '../kernel/jobs/runner.ts';
import { DEFAULT_SCOPE } from '../kernel/scope.ts';
import { webhookHeaders } from '../kernel/webhook-signature.ts';
import { type ControlStore, openControlStore } from '../stores/sql/control-store.ts';
import { type Config, readConfig } from './config.ts';
import { OwnerWebhooks, WEBHOOK_JOB } from './owner-webhooks.ts';

const START_MS = Date.UTC(2026, 9, 14, 10, 0, 0);
const EVENT: JournaledEvent = {
  key: 'limit.budget_reached\nteam:support/budget-per-day\n80',
  name: 'limit.budget_reached',
  subject: 'team/support',
  severity: 'warning',
  message: '80 % of the budget of the team "support" is spent.',
  details: { owner: 'support-team', costOwner: 'finance@example.com', percent: 80 },
  atMs: START_MS - 5_000,
};

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

describe('webhooks to owners', () => {
  const received: Received[] = [];
  let status = 204;
  let directory: string;
  let clock: FakeClock;
  let store: ControlStore;
  let config: Config;
  let runner: JobRunner;
  let webhooks: OwnerWebhooks;
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      received.push({ headers: request.headers, body });
      response.writeHead(status).end();
    });
  });

  before(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
  after(() => new Promise<void>((resolve) => server.close(() => resolve())));
  beforeEach(async () => {
    received.length = 0;
    status = 204;
    clock = new FakeClock(START_MS);
    directory = mkdtempSync(join(tmpdir(), 'plimsoll-webhooks-'));
    store = await openControlStore({ kind: 'sqlite', path: join(directory, 'control.db') }, clock);
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
    const text = `version: 1
providers: { p: { kind: openai-compatible, baseUrl: "http://127.0.0.1:1/v1" } }
models: { m: { provider: p, model: m } }
routes: {}
owners:
  support-team: { webhook: { url: "${url}", secret: "\${HOOK_SECRET}" } }
  finance@example.com: { webhook: { url: "${url}", secret: "\${HOOK_SECRET}" } }
  nobody: {}
`;
    config = readConfig(text, 'plimsoll.yaml', { HOOK_SECRET: 'whsec_c2VjcmV0' });
    webhooks = new OwnerWebhooks({
      store,
      scope: DEFAULT_SCOPE,
      clock,
      variables: { HOOK_SECRET: 'whsec_c2VjcmV0' },
      config: () => config,
    });
    runner = createJobRunner({
      store: store.jobs,
      scope: DEFAULT_SCOPE,
      clock,
      handlers: { [WEBHOOK_JOB]: (job) => webhooks.deliver(job) },
      onError: () => {},
    });
    webhooks.use(runner);
  });

  afterEach(async () => {
    await store.close();
    rmSync(directory, { recursive: true });
  });

  it('tell owner and cost owner once, signed, however often the event is read', async () => {
    await webhooks.record([EVENT, EVENT]);
    await webhooks.record([EVENT]);
    await clock.advance(1);
    await runner.runDue();
    assert.equal(received.length, 2);
    for (const { headers, body } of received) {
      assert.deepEqual(JSON.parse(body), {
        type: 'limit.budget_reached',
        timestamp: '2026-10-14T09:59:55.000Z',
        data: { subject: 'team/support', severity: 'warning', message: EVENT.message, details: EVENT.details },
      });
      const signed = webhookHeaders(String(headers['webhook-id']), Number(headers['webhook-timestamp']), body, 'whsec_c2VjcmV0');
      assert.equal(headers['webhook-signature'], signed['webhook-signature']);
    }
    assert.equal(new Set(received.map(({ headers }) => headers['webhook-id'])).size, 2);
    const logged = await store.eventLog.list(DEFAULT_SCOPE, { names: ['limit.budget_reached'], subject: null, beforeId: null, limit: 10 });
    assert.deepEqual(
      logged.map(({ subject, atMs }) => ({ subject, atMs })),
      [{ subject: 'team/support', atMs: EVENT.atMs }],
    );
  });

  it('try again under the same id until the receiver takes the message', async () => {
    status = 500;
    await webhooks.record([{ ...EVENT, details: { owner: 'support-team', costOwner: 'nobody' } }]);
    await clock.advance(1);
    await runner.runDue();
    status = 200;
    await clock.advance(5_000);
    await runner.runDue();
    await clock.advance(600_000);
    await runner.runDue();
    assert.equal(received.length, 2);
    assert.equal(received[0]?.headers['webhook-id'], received[1]?.headers['webhook-id']);
    assert.notEqual(received[0]?.headers['webhook-timestamp'], received[1]?.headers['webhook-timestamp']);
  });

  it('are not sent to owners that have none, or have none any more', async () => {
    await webhooks.record([{ ...EVENT, details: { owner: 'nobody', costOwner: 'stranger' } }]);
    await webhooks.record([{ ...EVENT, key: 'other', details: { owner: 'support-team' } }]);
    config = { ...config, owners: {} };
    await clock.advance(1);
    await runner.runDue();
    assert.equal(received.length, 0);
  });
});
