import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { eventually, type Plimsoll, startPlimsoll } from '../harness/plimsoll.ts';
import { type StubProvider, startStubProvider, stubConfig } from '../harness/stub-provider.ts';

/** A few minutes before the daily look at the models. */
const START_MS = Date.UTC(2026, 0, 1, 6, 5);

interface Events {
  events: { name: string; message: string; severity: string }[];
}
interface Providers {
  providers: { name: string; status: { state: string; source: string | null; ageMs: number | null; description: string } }[];
}

describe('what control watches by itself, on the fake clock', { timeout: 600_000 }, () => {
  let stub: StubProvider;
  let plimsoll: Plimsoll;
  let indicator = 'major';
  const page = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ status: { indicator, description: `says ${indicator}` } }));
  });
  before(async () => {
    await new Promise<void>((resolve) => page.listen(0, '127.0.0.1', resolve));
    stub = await startStubProvider();
    const url = `http://127.0.0.1:${(page.address() as AddressInfo).port}/api/v2/summary.json`;
    const config = stubConfig(stub.port)
      .replace('providers: { stub: {', `providers: { stub: { statusPage: { url: "${url}" },`)
      .replace('model: stub-1 }', 'model: stub-1, retiresAt: "2026-01-01T06:10:00Z" }')
      .replace('route: default } }', 'route: default }, billing: { route: default, residency: { selfHosted: true } } }')
      .replace('kind: openai-compatible', 'kind: openai-compatible, selfHosted: true');
    plimsoll = await startPlimsoll({ config, variables: { PLIMSOLL_FAKE_CLOCK: `${START_MS}` } });
  });
  after(async () => {
    await plimsoll.stop();
    await stub.close();
    page.closeAllConnections();
    page.close();
  });
  const providers = async () => (await plimsoll.api<Providers>('/api/v1/providers')).providers[0]?.status;

  it('a status page: at the start, and again when it says something else', async () => {
    const first = await eventually('it was asked', providers, (status) => status?.state === 'partial_outage');
    assert.equal(first?.ageMs, 0);
    assert.match(first?.source ?? '', /summary\.json$/);
    indicator = 'none';
    await plimsoll.advance(61_000);
    await eventually('it was asked again', providers, (status) => status?.state === 'operational');
    const { events } = await plimsoll.api<Events>('/api/v1/events?name=provider.status_changed');
    assert.deepEqual(
      events.map(({ message, severity }) => [message, severity]),
      [
        ['stub says on its status page: operational (says none)', 'info'],
        ['stub says on its status page: partial outage (says major)', 'warning'],
      ],
    );
  });

  it('a model that nears its end: an event before and at its end, the warning in the list and on the answers', async () => {
    const retiring = async () => (await plimsoll.api<Events>('/api/v1/events?subject=model/stub-model')).events;
    const first = await eventually('the last day', retiring, (events) => events.length === 1);
    assert.match(first[0]?.message ?? '', /stub-model \(stub-1\) retires on 2026-01-01, in a day\. Used by load, billing\./);
    const { models } = await plimsoll.api<{ models: { warning: string; isSelfHosted: boolean }[] }>('/api/v1/models');
    assert.deepEqual(
      models.map(({ warning, isSelfHosted }) => [warning, isSelfHosted]),
      [['retires on 2026-01-01, in 1 day', true]],
    );
    const answer = await fetch(`${plimsoll.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${plimsoll.virtualKey}`, 'content-type': 'application/json' },
      body: '{"model":"default","messages":[]}',
    });
    assert.equal(answer.headers.get('sunset'), 'Thu, 01 Jan 2026 06:10:00 GMT');
    await plimsoll.advance(10 * 60_000);
    const all = await eventually('it is over', retiring, (events) => events[0]?.name === 'model.retired');
    assert.equal(all[0]?.severity, 'critical');
  });
});
