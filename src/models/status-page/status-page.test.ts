import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, it } from 'node:test';
import fc from 'fast-check';
import { FakeClock } from '../../kernel/clock.ts';
import { PlimsollError } from '../../kernel/errors.ts';
import { DEFAULT_SCOPE } from '../../kernel/scope.ts';
import { ProviderConfig } from '../config.ts';
import { fetchPage } from './fetch-page.ts';
import { readGoogleCloud } from './google-cloud.ts';
import { lineOf, linkOf, worstOf } from './model.ts';
import { createStatusPoller, type PageState, presentSeverity, type WatchedPage } from './poller.ts';
import { readStatuspage } from './statuspage.ts';

const fixture = (name: string): string => readFileSync(new URL(`./fixtures/${name}.json`, import.meta.url), 'utf8');
const STATUSPAGE = JSON.parse(fixture('statuspage-minor')) as Record<string, unknown>;
const GOOGLE = JSON.parse(fixture('google-cloud')) as unknown[];

describe('status pages, read', () => {
  it('Statuspage v2: the page as a whole, or the components that are named', () => {
    const whole = readStatuspage(STATUSPAGE, []);
    assert.deepEqual(whole, {
      severity: 'degraded',
      description: 'Partially Degraded Service',
      components: [],
      incidents: [
        {
          id: 'i1',
          title: 'Elevated error rates in Chat Completions',
          severity: 'degraded',
          startedAtMs: Date.UTC(2026, 4, 12, 9, 55),
          url: 'https://stspg.io/abc',
        },
      ],
    });
    assert.deepEqual(readStatuspage(STATUSPAGE, ['embeddings']).severity, 'operational');
    assert.deepEqual(readStatuspage(STATUSPAGE, ['Embeddings', 'Batch']).severity, 'maintenance');
    assert.throws(() => readStatuspage(STATUSPAGE, ['Chat']), /no component "Chat"; it has Chat Completions, Embeddings, Batch/);
    const resolved = { ...STATUSPAGE, incidents: [{ id: 'x', name: 'y', status: 'resolved', impact: 'critical' }] };
    assert.deepEqual(readStatuspage(resolved, []).incidents, []);
    for (const [indicator, severity] of [
      ['none', 'operational'],
      ['major', 'partial_outage'],
      ['critical', 'major_outage'],
      ['maintenance', 'maintenance'],
      ['a new word', 'degraded'],
      ['__proto__', 'degraded'],
    ] as const)
      assert.equal(readStatuspage({ status: { indicator } }, []).severity, severity);
  });

  it('Google Cloud: what has no end, by its impact, of the products that are named', () => {
    const all = readGoogleCloud(GOOGLE, []);
    assert.equal(all.severity, 'partial_outage');
    assert.deepEqual(all.incidents, [
      {
        id: 'kV3tQ9xYh2mZpLcN8aRe',
        title: 'Vertex AI Gemini API: elevated latency in europe-west4',
        severity: 'partial_outage',
        startedAtMs: Date.UTC(2026, 4, 12, 8, 10),
        url: 'https://status.cloud.google.com/incidents/kV3tQ9xYh2mZpLcN8aRe',
      },
    ]);
    const named = readGoogleCloud(GOOGLE, ['vertex gemini api', 'Google BigQuery']);
    assert.deepEqual(named.components, [
      { name: 'vertex gemini api', severity: 'partial_outage' },
      { name: 'Google BigQuery', severity: 'operational' },
    ]);
    assert.deepEqual(readGoogleCloud(GOOGLE, ['Google BigQuery']), {
      severity: 'operational',
      description: 'no open incident',
      components: [{ name: 'Google BigQuery', severity: 'operational' }],
      incidents: [],
    });
  });

  it('any JSON gives a reading or a clear error, and no text of it is more than a harmless line', () => {
    const hostile = fc.oneof(
      fc.jsonValue(),
      fc.record({ status: fc.jsonValue(), components: fc.jsonValue(), incidents: fc.jsonValue() }),
      fc.array(fc.record({ id: fc.string(), end: fc.jsonValue(), uri: fc.jsonValue(), affected_products: fc.jsonValue() })),
    );
    fc.assert(
      fc.property(hostile, (body) => {
        for (const read of [readStatuspage, readGoogleCloud]) {
          try {
            const reading = read(body, []);
            assert.ok(['operational', 'maintenance', 'degraded', 'partial_outage', 'major_outage'].includes(reading.severity));
            for (const { title, url } of reading.incidents) {
              assert.ok(title.length <= 301);
              assert.ok(url === null || /^https?:\/\//.test(url));
            }
          } catch (thrown) {
            assert.ok(thrown instanceof PlimsollError && thrown.code === 'provider_bad_response', String(thrown));
          }
        }
      }),
      { numRuns: 300 },
    );
    assert.equal(lineOf('a\u0000b\r\n<script>'), 'a b <script>');
    assert.equal(linkOf('javascript:alert(1)'), null);
    assert.equal(worstOf([]), 'operational');
  });
});

describe('status pages, polled', () => {
  let answer: (request: IncomingMessage, response: ServerResponse) => void;
  let asked: { etag: string | undefined }[];
  let server: ReturnType<typeof createServer>;
  let page: WatchedPage;
  let clock: FakeClock;
  let states: Map<string, PageState>;
  let events: { name: string; severity: string; message: string }[];
  const never = new AbortController().signal;

  beforeEach(async () => {
    asked = [];
    server = createServer((request, response) => {
      asked.push({ etag: request.headers['if-none-match'] });
      answer(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v2/summary.json`;
    page = { provider: 'openai', url, kind: 'statuspage', components: [], everyMs: 60_000 };
    clock = new FakeClock(Date.UTC(2026, 4, 12));
    states = new Map();
    events = [];
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  const poller = () =>
    createStatusPoller({
      memory: {
        get: async (_scope, provider) => states.get(provider) ?? null,
        // As a store does: what comes back is JSON.
        put: async (_scope, provider, state) => void states.set(provider, JSON.parse(JSON.stringify(state)) as PageState),
      },
      eventLog: {
        append: async (_scope, { name, severity, message }) => {
          events.push({ name, severity, message });
          return true;
        },
        list: async () => [],
        prune: async () => 0,
      },
      clock,
    });
  const poll = () => poller().pollDue(DEFAULT_SCOPE, [page], never);
  const json =
    (body: unknown, headers: Record<string, string> = {}) =>
    (_request: IncomingMessage, response: ServerResponse) => {
      response.writeHead(200, { 'content-type': 'application/json', ...headers });
      response.end(JSON.stringify(body));
    };
  const present = () => presentSeverity(states.get('openai') ?? null, page.everyMs, clock.nowMs());

  it('keeps what the page says, tells of changes once, and asks with the etag', async () => {
    answer = json({ status: { indicator: 'none', description: 'All Systems Operational' } }, { etag: '"1"' });
    assert.equal(present(), 'unmeasured');
    await poll();
    assert.equal(present(), 'operational');
    assert.deepEqual(events, [], 'the first all-clear is no news');
    await poll();
    assert.equal(asked.length, 1, 'not due yet');
    await clock.advance(60_000);
    answer = (request, response) => {
      response.writeHead(request.headers['if-none-match'] === '"1"' ? 304 : 500);
      response.end();
    };
    await poll();
    assert.equal(asked[1]?.etag, '"1"');
    assert.equal(states.get('openai')?.readAtMs, clock.nowMs(), 'unchanged is as good as read');
    await clock.advance(60_000);
    answer = json(STATUSPAGE);
    await poll();
    await clock.advance(60_000);
    await poll();
    assert.deepEqual(events, [
      {
        name: 'provider.status_changed',
        severity: 'warning',
        message: 'openai says on its status page: degraded (Partially Degraded Service)',
      },
    ]);
    assert.equal(states.get('openai')?.changedAtMs, Date.UTC(2026, 4, 12) + 120_000);
  });

  it('keeps the last reading through failures, waits longer each time, and in the end says that it does not know', async () => {
    answer = json(STATUSPAGE);
    await poll();
    answer = (_request, response) => response.destroy();
    const waits = [];
    for (let failure = 0; failure < 7; failure++) {
      await clock.advance((states.get('openai')?.nextPollAtMs ?? 0) - clock.nowMs());
      await poll();
      waits.push(((states.get('openai')?.nextPollAtMs ?? 0) - clock.nowMs()) / 60_000);
      if (failure === 1) assert.equal(present(), 'degraded');
    }
    assert.deepEqual(waits, [2, 4, 8, 16, 30, 30, 30]);
    assert.equal(present(), 'unmeasured');
    assert.match(states.get('openai')?.error ?? '', /cannot be reached/);
    assert.equal(events.length, 1, 'a page that does not answer has not changed');
    answer = json(STATUSPAGE);
    await clock.advance(30 * 60_000);
    await poll();
    assert.deepEqual([present(), states.get('openai')?.error, states.get('openai')?.failures], ['degraded', null, 0]);
  });

  it('heeds retry-after, and takes another page under the same name for another page', async () => {
    answer = (_request, response) => {
      response.writeHead(429, { 'retry-after': '600' });
      response.end('slow down');
    };
    await poll();
    assert.equal((states.get('openai')?.nextPollAtMs ?? 0) - clock.nowMs(), 600_000);
    page = { ...page, components: ['Embeddings'] };
    answer = json(STATUSPAGE);
    await poll();
    assert.equal(present(), 'operational');
  });

  it('never reads past a limit, a redirect or what is no JSON, and says what to do', async () => {
    const refused = async (message: RegExp, timeoutMs?: number) =>
      assert.rejects(
        fetchPage(page.url, null, never, timeoutMs),
        (thrown: Error) => message.test(thrown.message) || assert.fail(thrown.message),
      );
    answer = (_request, response) => {
      response.writeHead(200);
      const chunk = Buffer.alloc(1024 * 1024, 0x20);
      const more = (): void => {
        while (!response.destroyed && response.write(chunk));
        response.once('drain', more);
      };
      more();
    };
    await refused(/larger than 4194304 bytes/);
    answer = (_request, response) => {
      response.writeHead(301, { location: 'http://169.254.169.254/latest' });
      response.end();
    };
    await refused(/answered 301, to http:\/\/169\.254\.169\.254\/latest: name that address/);
    assert.equal(asked.length, 2, 'the redirect was not followed');
    answer = (_request, response) => response.end('<html>');
    await refused(/not JSON/);
    answer = (_request, response) => response.end('['.repeat(100_000));
    await refused(/not JSON/);
    answer = (_request, response) => void response.writeHead(200).write('{');
    await refused(/did not answer within 100 ms/, 100);
  });

  it('is configured by name or by address, and by nothing that is not known', () => {
    assert.deepEqual(ProviderConfig.parse({ kind: 'openai', statusPage: {} }).statusPage, {
      kind: 'statuspage',
      components: [],
      everySeconds: 60,
    });
    const local = { kind: 'openai-compatible', baseUrl: 'http://127.0.0.1:1/v1' };
    assert.match(
      ProviderConfig.safeParse({ ...local, statusPage: {} }).error?.message ?? '',
      /no status page is known for kind: openai-compatible/,
    );
    assert.ok(ProviderConfig.safeParse({ ...local, statusPage: { url: 'https://groqstatus.com/api/v2/summary.json' } }).success);
    assert.ok(ProviderConfig.safeParse({ ...local, statusPage: { kind: 'google-cloud' } }).success);
    for (const statusPage of [{ url: 'file:///etc/passwd' }, { url: 'https://user:pw@x/' }, { kind: 'azure' }, { everySeconds: 1 }])
      assert.equal(ProviderConfig.safeParse({ kind: 'openai', statusPage }).success, false, JSON.stringify(statusPage));
  });
});
