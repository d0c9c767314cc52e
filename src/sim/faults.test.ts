import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { systemClock } from '../kernel/clock.ts';
import { PlimsollError } from '../kernel/errors.ts';
import { simConfig } from './config.ts';
import { FAULT_NAMES, parseFault, parseFaults, splitMagicFault } from './faults.ts';
import { type SimulatedProviders, startSimulatedProviders } from './provider-server.ts';

describe('the words of faults', () => {
  it('reads values and options', () => {
    const fault = parseFault('error:429;retry-after=2;model=sim-large;first=1');
    assert.deepEqual(
      { ...fault, text: '' },
      { name: 'error', value: 429, isOnOutput: false, retryAfterSeconds: 2, model: 'sim-large', first: 1, text: '' },
    );
    assert.deepEqual(
      parseFaults('slow_first_byte=50, cut_after=3').map(({ name, value }) => [name, value]),
      [
        ['slow_first_byte', 50],
        ['cut_after', 3],
      ],
    );
    for (const wrong of ['', 'error', 'error:200', 'cut_after=x', 'explode', 'timeout;when=now'])
      assert.throws(
        () => parseFault(wrong),
        (thrown) => thrown instanceof PlimsollError && thrown.code === 'invalid_argument',
        wrong,
      );
  });

  it('finds the magic line at the end of any message, and only there', () => {
    fc.assert(
      fc.property(
        fc.string().filter((text) => !text.includes('[[')),
        fc.constantFrom(...FAULT_NAMES),
        (text, name) => {
          assert.deepEqual(splitMagicFault(`${text}\n[[sim:fault=${name}=3]]`), { text, fault: `${name}=3` });
          assert.deepEqual(splitMagicFault(`[[sim:fault=${name}]]\n${text}x`), { text: `[[sim:fault=${name}]]\n${text}x`, fault: null });
        },
      ),
      { numRuns: 100 },
    );
  });

  it('refuses a config with a fault that does not exist', () => {
    assert.equal(simConfig.safeParse({ faults: [{ fault: 'error:500', rate: 0.1 }] }).success, true);
    assert.equal(simConfig.safeParse({ faults: [{ fault: 'eror:500' }] }).success, false);
    assert.equal(simConfig.safeParse({ models: { m: { faults: [{ fault: 'nope', rate: 1 }] } } }).success, false);
    assert.equal(simConfig.safeParse({ modles: {} }).success, false);
  });
});

interface Outcome {
  readonly status: number;
  readonly contentType: string | null;
  readonly text: string;
  /** The connection broke before the end of the answer. */
  readonly isBroken: boolean;
  readonly elapsedMs: number;
}

describe('faults on the wire', () => {
  let sim: SimulatedProviders;
  before(async () => {
    const models = { flaky: { faults: [{ fault: 'error:503', rate: 0.5 }] }, other: {} };
    sim = await startSimulatedProviders({
      config: simConfig.parse({ latencyFactor: 0, models, faults: [{ fault: 'error:500', models: ['other'] }] }),
      clock: systemClock,
      port: 0,
    });
  });
  after(() => sim.close());

  async function call(
    path: string,
    body: Readonly<Record<string, unknown>>,
    headers: Record<string, string> = {},
    patienceMs = 5_000,
  ): Promise<Outcome> {
    const startedMs = performance.now();
    let text = '';
    let response: Response;
    try {
      response = await fetch(`http://127.0.0.1:${sim.port}${path}`, {
        method: 'POST',
        headers,
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(patienceMs),
      });
    } catch {
      return { status: 0, contentType: null, text, isBroken: true, elapsedMs: performance.now() - startedMs }; // no answer is an outcome here
    }
    let isBroken = false;
    try {
      for await (const chunk of response.body ?? []) text += Buffer.from(chunk).toString();
    } catch {
      isBroken = true;
    }
    return {
      status: response.status,
      contentType: response.headers.get('content-type'),
      text,
      isBroken,
      elapsedMs: performance.now() - startedMs,
    };
  }

  const PATHS = { openai: '/openai/v1/chat/completions', anthropic: '/anthropic/v1/messages' };
  const ask = (dialect: keyof typeof PATHS, fault: string, isStream: boolean, patienceMs?: number): Promise<Outcome> =>
    call(
      PATHS[dialect],
      {
        model: 'sim-large',
        max_tokens: 500,
        stream: isStream,
        messages: [{ role: 'user', content: 'Where is my order TS-104233? It should have been here on Monday.' }],
      },
      { 'x-sim-fault': fault },
      patienceMs,
    );
  const eventsOf = (text: string): string[] => text.split('\n\n').filter((event) => event.includes('data:'));

  for (const dialect of ['openai', 'anthropic'] as const) {
    it(`${dialect}: errors, resets and silence before the answer`, async () => {
      assert.equal((await ask(dialect, 'error:500', true)).status, 500);
      assert.equal((await ask(dialect, 'error:429;retry-after=2', false)).status, 429);
      assert.equal((await ask(dialect, 'error:400', false)).status, 400);
      assert.match((await ask(dialect, 'context_length', false)).text, /context_length_exceeded|prompt is too long/);
      assert.match((await ask(dialect, 'content_filter', false)).text, /content_filter|content filtering/);
      assert.deepEqual((({ status, isBroken }) => ({ status, isBroken }))(await ask(dialect, 'connection_reset', true)), {
        status: 0,
        isBroken: true,
      });
      const silent = await ask(dialect, 'timeout', false, 60);
      assert.equal(silent.status, 0);
    });

    it(`${dialect}: broken streams`, async () => {
      const cut = await ask(dialect, 'cut_after=3', true);
      assert.deepEqual([eventsOf(cut.text).length, cut.isBroken], [3, true]);
      const stalled = await ask(dialect, 'stall_after=2', true, 100);
      assert.deepEqual([eventsOf(stalled.text).length, stalled.isBroken], [2, true]);
      const malformed = eventsOf((await ask(dialect, 'malformed_json', true)).text)[2] ?? '';
      assert.throws(() => JSON.parse(/data: (.*)/.exec(malformed)?.[1] ?? ''), SyntaxError);
      assert.equal((await ask(dialect, 'empty', true)).text, '');
      assert.match((await ask(dialect, 'wrong_content_type', true)).contentType ?? '', /text\/html/);
      const first = await ask(dialect, 'error_first_event', true);
      assert.equal(first.status, 200);
      assert.match(eventsOf(first.text)[0] ?? '', /"error"/);
      assert.equal(eventsOf(first.text).length, 1);
      assert.doesNotMatch((await ask(dialect, 'no_usage', true)).text, /_tokens"/);
    });

    it(`${dialect}: broken bodies`, async () => {
      assert.equal((await ask(dialect, 'cut_after=1', false)).isBroken, true);
      assert.equal((await ask(dialect, 'stall_after=1', false, 100)).isBroken, true);
      const malformed = await ask(dialect, 'malformed_json', false);
      assert.equal(malformed.isBroken, false);
      assert.throws(() => JSON.parse(malformed.text), SyntaxError);
      assert.equal((await ask(dialect, 'empty', false)).text, '');
      assert.match((await ask(dialect, 'wrong_content_type', false)).text, /<!doctype html>/);
      assert.doesNotMatch((await ask(dialect, 'no_usage', false)).text, /"usage"/);
      assert.match((await ask(dialect, 'refusal', false)).text, /cannot help/);
      assert.match(
        (await ask(dialect, 'content_filter=output', false)).text,
        dialect === 'openai' ? /"finish_reason":"content_filter"/ : /"stop_reason":"refusal"/,
      );
    });

    it(`${dialect}: slowness`, async () => {
      assert.ok((await ask(dialect, 'slow_first_byte=80', false)).elapsedMs >= 79);
      assert.ok((await ask(dialect, 'slow_chunks=4', true)).elapsedMs >= 60);
    });
  }

  it('takes a fault from metadata and from the last line of the last user message, which it does not answer to', async () => {
    const body = { model: 'sim-large', messages: [{ role: 'user', content: 'Hello' }] };
    assert.equal((await call(PATHS.openai, { ...body, metadata: { sim_fault: 'error:503' } })).status, 503);
    const magic = (fault: string): Promise<Outcome> =>
      call('/v1/chat/completions', { ...body, messages: [{ role: 'user', content: `Hello\n[[sim:fault=${fault}]]` }] });
    assert.equal((await magic('error:503')).status, 503);
    assert.match((await magic('slow_first_byte=1')).text, /How can I help you today/);
    assert.equal((await magic('error:503;model=sim-small')).status, 200);
    assert.deepEqual(
      [
        (await magic('error:503;first=1;id=a')).status,
        (await magic('error:503;first=1;id=a')).status,
        (await magic('error:503;first=1;id=b')).status,
      ],
      [503, 200, 503],
    );
  });

  it('applies configured rates anew on each try, the same way for the same seed', async () => {
    const body = { model: 'flaky', messages: [{ role: 'user', content: 'Hello' }] };
    const run = async (port: number): Promise<number[]> => {
      const statuses: number[] = [];
      for (let round = 0; round < 40; round++)
        statuses.push((await fetch(`http://127.0.0.1:${port}/v1/chat/completions`, { method: 'POST', body: JSON.stringify(body) })).status);
      return statuses;
    };
    const statuses = await run(sim.port);
    assert.deepEqual([...new Set(statuses)].sort(), [200, 503]);
    const failed = statuses.filter((status) => status === 503).length;
    assert.ok(failed > 8 && failed < 32, `${failed} of 40`);
    const twin = await startSimulatedProviders({
      config: simConfig.parse({ latencyFactor: 0, models: { flaky: { faults: [{ fault: 'error:503', rate: 0.5 }] } } }),
      clock: systemClock,
      port: 0,
    });
    assert.deepEqual(await run(twin.port), statuses);
    await twin.close();
    assert.equal((await call('/v1/chat/completions', { ...body, model: 'other' })).status, 500);
  });

  it('counts what it did, and notices clients that leave', async () => {
    const { byFault, open } = sim.stats();
    assert.ok((byFault.cut_after ?? 0) >= 4 && (byFault.timeout ?? 0) >= 2);
    assert.equal(open, 0);
    const before = sim.stats().aborted;
    const controller = new AbortController();
    const pending = fetch(`http://127.0.0.1:${sim.port}${PATHS.openai}`, {
      method: 'POST',
      headers: { 'x-sim-fault': 'stall_after=2' },
      body: JSON.stringify({ model: 'sim-large', stream: true, messages: [{ role: 'user', content: 'Hello' }] }),
      signal: controller.signal,
    });
    await (await pending).body?.getReader().read();
    controller.abort();
    while (sim.stats().open > 0) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(sim.stats().aborted, before + 1);
  });

  it('says port_in_use when the port is taken', async () => {
    await assert.rejects(
      startSimulatedProviders({ config: simConfig.parse({}), clock: systemClock, port: sim.port }),
      (thrown) => thrown instanceof PlimsollError && thrown.code === 'port_in_use',
    );
    await assert.rejects(
      startSimulatedProviders({ config: simConfig.parse({ port: sim.port }), clock: systemClock, port: 0 }),
      (thrown) => thrown instanceof PlimsollError && thrown.code === 'port_in_use',
    );
  });
});
