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
      {
        name: 'error',
        value: 429,
        isOnOutput: false,
        retryAfter: { form: 'seconds', amount: 2 },
        model: 'sim-large',
        key: null,
        first: 1,
        text: '',
      },
    );
    assert.deepEqual(
      parseFaults('slow_first_byte=50, cut_after=3').map(({ name, value }) => [name, value]),
      [
        ['slow_first_byte', 50],
        ['cut_after', 3],
      ],
    );
    assert.equal(parseFault('key_revoked;key=sk=1').key, 'sk=1');
    assert.deepEqual([parseFault('html_page').value, parseFault('html_page=200').value], [502, 200]);
    for (const wrong of ['', 'error', 'error:200', 'cut_after=x', 'explode', 'timeout;when=now', 'timeout=3', 'html_page=99'])
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
    assert.equal(simConfig.safeParse({ faults: [{ fault: 'connect_refused' }] }).success, false);
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

  const PATHS = { openai: '/openai/v1/chat/completions' };

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
    assert.ok((byFault.error ?? 0) >= 20 && byFault.slow_first_byte === 1, JSON.stringify(byFault));
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
