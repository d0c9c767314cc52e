import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { systemClock } from '../kernel/clock.ts';
import { PlimsollError } from '../kernel/errors.ts';
import { within } from '../kernel/testing.ts';
import { simConfig } from './config.ts';
import { CORPUS_FEATURES } from './corpus/features.ts';
import { startSimulatedProviders } from './provider-server.ts';
import { seededRandom } from './seeded-random.ts';
import { runTraffic, type TrafficProgress } from './traffic.ts';
import { drawScenario, TRAFFIC_KINDS, USUAL_MIX } from './traffic-scenarios.ts';

const KEYS = Object.fromEntries(CORPUS_FEATURES.map((feature) => [feature.name, 'any']));

/** Runs faster than real time: the clock that traffic sees goes `factor` times as fast. */
function fastClock(factor: number): typeof systemClock {
  return {
    nowMs: () => systemClock.nowMs(),
    monotonicMs: () => systemClock.monotonicMs() * factor,
    setTimer: (delayMs, callback) => systemClock.setTimer(delayMs / factor, callback),
    sleep: (delayMs) => systemClock.sleep(delayMs / factor),
  };
}

describe('traffic', () => {
  it('drives all features, streams, tools, sessions and faults, and its counts add up', async () => {
    const sim = await startSimulatedProviders({ config: simConfig.parse({ latencyFactor: 0 }), clock: systemClock, port: 0 });
    const seen: TrafficProgress[] = [];
    const report = await runTraffic({
      baseUrl: `http://127.0.0.1:${sim.port}/v1`,
      keys: KEYS,
      model: 'sim-small',
      rps: 6,
      durationMs: 50_000,
      seed: 3,
      clock: fastClock(8),
      faultRatio: 0.2,
      onProgress: (progress) => void seen.push(progress),
    });
    await sim.close();
    assert.ok(report.started > 180 && report.started < 450, `${report.started} calls at 6/s in 50 s`);
    assert.equal(report.started, report.succeeded + report.failed + report.aborted);
    assert.deepEqual(Object.keys(report.byKind).sort(), [...TRAFFIC_KINDS].sort());
    assert.deepEqual([report.unserved, report.notServed], [[], 0]);
    assert.equal(
      Object.values(report.byFeature).reduce((sum, count) => sum + count, 0),
      report.started,
    );
    assert.equal(
      Object.values(report.errors).reduce((sum, count) => sum + count, 0),
      report.failed,
    );
    assert.deepEqual(Object.keys(report.byFeature).sort(), Object.keys(KEYS).sort());
    assert.ok(report.streams > 0 && report.toolCalls > 0 && report.faults > 0 && report.failed > 0, JSON.stringify(report));
    assert.ok(report.succeeded / (report.started - report.aborted) > 0.8, JSON.stringify(report));
    assert.ok((report.durationMs?.p95 ?? 0) >= (report.durationMs?.p50 ?? 1));
    assert.ok(report.inputTokens > 0 && report.outputTokens > 0 && (report.ttftMs?.count ?? 0) > 0);
    assert.ok(seen.length > 3 && seen.every((progress) => progress.started <= report.started));
    assert.equal(report.wasCancelled, false);
  });

  it('ends soon when it is cancelled', async () => {
    const sim = await startSimulatedProviders({ config: simConfig.parse({ faults: [{ fault: 'timeout' }] }), clock: systemClock, port: 0 });
    const controller = new AbortController();
    const running = runTraffic({
      baseUrl: `http://127.0.0.1:${sim.port}/v1`,
      keys: KEYS,
      model: 'sim-small',
      rps: 50,
      durationMs: 3_600_000,
      seed: 1,
      clock: systemClock,
      faultRatio: 0,
      signal: controller.signal,
    });
    while (sim.stats().open < 3) await new Promise((resolve) => setImmediate(resolve));
    controller.abort();
    const report = await running;
    assert.equal(report.wasCancelled, true);
    assert.ok(report.elapsedMs < 600_000);
    assert.equal(report.succeeded, 0);
    assert.equal(report.aborted, report.started);
    await sim.close();
  });

  it('draws the same scenarios for the same seed, about 2 % of them with a fault, from the given features only', () => {
    const draw = (): ReturnType<typeof drawScenario>[] => {
      const random = seededRandom('scenarios');
      return Array.from({ length: 5_000 }, () =>
        drawScenario({ features: ['sales-email', 'code-review'], faultRatio: 0.02, mix: USUAL_MIX, users: 50 }, random),
      );
    };
    const scenarios = draw();
    assert.deepEqual(scenarios, draw());
    const faulty = scenarios.filter((scenario) => scenario.fault !== null || scenario.agent?.answer === null).length;
    assert.ok(faulty > 60 && faulty < 145, `${faulty}`);
    assert.deepEqual([...new Set(scenarios.map((scenario) => scenario.feature.name))].sort(), ['code-review', 'sales-email']);
  });

  it('ends in time: no session goes on after the end, and what hangs is given up', async () => {
    const sim = await startSimulatedProviders({
      config: simConfig.parse({ faults: [{ fault: 'timeout', rate: 0.2 }] }),
      clock: systemClock,
      port: 0,
    });
    const report = await runTraffic({
      baseUrl: `http://127.0.0.1:${sim.port}/v1`,
      keys: KEYS,
      model: 'sim-small',
      rps: 30,
      durationMs: 600,
      seed: 1,
      clock: systemClock,
      faultRatio: 0,
    });
    await sim.close();
    assert.ok(report.elapsedMs >= 600 && report.elapsedMs < within(3_500), `${report.elapsedMs} ms`);
    assert.ok(report.started > 5 && report.aborted > 0);
    assert.equal(report.started, report.succeeded + report.failed + report.aborted);
  });

  it('plays what the mix says, says who calls, and leaves out what is not served', async () => {
    const seen: { path: string; headers: IncomingHttpHeaders }[] = [];
    const server = createServer((request, response) => {
      seen.push({ path: request.url ?? '', headers: request.headers });
      request
        .resume()
        .on('end', () =>
          response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":{"message":"no","type":"not_found_error"}}'),
        );
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo; // a TCP server that listens has one
    const report = await runTraffic({
      baseUrl: `http://127.0.0.1:${port}/v1`,
      keys: KEYS,
      model: 'm',
      rps: 40,
      durationMs: 1_000,
      seed: 2,
      clock: systemClock,
      faultRatio: 0,
      mix: { chat: 0, responses: 2, messages: 2, agent: 0, faq: 1, task: 0, embed: 2 },
    });
    server.close();
    assert.deepEqual([...report.unserved].sort(), ['embed', 'messages', 'responses']);
    assert.ok(report.notServed >= 3 && (report.byKind.faq ?? 0) > 3 && report.byKind.chat === undefined);
    assert.deepEqual(Object.keys(report.errors), ['not_found_error']);
    assert.deepEqual([...new Set(seen.map(({ path }) => path))].sort(), [
      '/v1/chat/completions',
      '/v1/embeddings',
      '/v1/messages',
      '/v1/responses',
    ]);
    for (const { headers } of seen) {
      assert.match(`${headers['x-plimsoll-user']}`, /^user-\d+$/);
      assert.match(`${headers['x-plimsoll-session']}`, /^session-[0-9a-f]{12}$/);
      assert.match(`${headers['x-plimsoll-tags']}`, /^channel=(web|app|email)$/);
    }
    assert.ok(seen.some(({ headers }) => headers['x-plimsoll-customer'] !== undefined));
  });

  it('needs a key for an example feature', async () => {
    await assert.rejects(
      runTraffic({
        baseUrl: 'http://127.0.0.1:1/v1',
        keys: { other: 'k' },
        model: 'm',
        rps: 1,
        durationMs: 1,
        seed: 1,
        clock: systemClock,
      }),
      (thrown) => thrown instanceof PlimsollError && thrown.code === 'invalid_argument',
    );
  });
});
