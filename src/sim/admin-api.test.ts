import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import OpenAI from 'openai';
import { FakeClock } from '../kernel/clock.ts';
import { simConfig } from './config.ts';
import { FaultBoard } from './fault-board.ts';
import { startSimulatedProviders } from './provider-server.ts';
import { type Seen, see, startSim } from './testing.ts';

const BODY = {
  model: 'sim-large',
  messages: [{ role: 'user', content: 'How should I wash the Skerry rain jacket without ruining the coating?' }],
};

describe('faults that are switched on at run time', () => {
  it('hit from the beginning to the end of the outage, only their models, as often as the rate says', async () => {
    const clock = new FakeClock(1_780_000_000_000);
    const sim = await startSimulatedProviders({ config: simConfig.parse({ latencyFactor: 0 }), clock, port: 0 });
    const status = async (model: string, extra: object = {}): Promise<number> =>
      (await see(sim.port, '/v1/chat/completions', { body: { ...BODY, model, ...extra } })).status;
    const on = await see(sim.port, '/sim/faults', {
      body: { fault: 'error:503', models: ['sim-large'], delayMs: 1_000, durationMs: 60_000 },
    });
    assert.deepEqual([on.status, JSON.parse(on.text).untilMs], [201, 1_780_000_061_000]);
    assert.equal(await status('sim-large'), 200);
    await clock.advance(1_000);
    assert.deepEqual([await status('sim-large'), await status('sim-small')], [503, 200]);
    // What a request asks for itself goes first.
    assert.equal((await see(sim.port, '/v1/chat/completions', { body: BODY, headers: { 'x-sim-fault': 'error:429' } })).status, 429);
    await clock.advance(59_999);
    assert.equal(await status('sim-large'), 503);
    await clock.advance(1);
    assert.equal(await status('sim-large'), 200);
    assert.deepEqual(JSON.parse((await see(sim.port, '/sim/faults')).text), { faults: [] });

    await see(sim.port, '/sim/faults', { body: { fault: 'error:500', rate: 0.5, seed: 4, durationMs: 60_000 } });
    const drawn: number[] = [];
    for (let round = 0; round < 60; round++) drawn.push(await status('sim-large', { seed: round }));
    const failed = drawn.filter((code) => code === 500).length;
    assert.ok(failed > 15 && failed < 45, `${failed} of 60`);
    const { id } = JSON.parse((await see(sim.port, '/sim/faults')).text).faults[0];
    assert.equal((await see(sim.port, `/sim/faults/${id}`, { method: 'DELETE' })).status, 200);
    assert.equal((await see(sim.port, `/sim/faults/${id}`, { method: 'DELETE' })).status, 404);
    await sim.close();
  });

  it('are refused when they are not understood, and by whom they should not be asked', async () => {
    const sim = await startSim({ apiKey: 'k' });
    const key = { authorization: 'Bearer k' };
    const post = (body: unknown, headers: Record<string, string> = key): Promise<Seen> => see(sim.port, '/sim/faults', { body, headers });
    for (const body of [
      { fault: 'nonsense', durationMs: 1 },
      { fault: 'timeout' },
      { fault: '', durationMs: 1 },
      { fault: 'timeout', durationMs: 1, when: 'now' },
      { fault: 'connect_refused', models: ['sim-large'], durationMs: 1 },
      { fault: 'connect_refused,timeout', durationMs: 1 },
      'no json',
    ])
      assert.equal((await post(body)).status, 400, JSON.stringify(body));
    assert.equal((await post({ fault: 'timeout', durationMs: 1 }, {})).status, 401);
    assert.equal((await post({ fault: 'timeout', durationMs: 1 }, { ...key, 'content-type': 'text/plain' })).status, 415);
    assert.equal((await see(sim.port, '/sim/nothing', { headers: key })).status, 404);
    await sim.close();
  });

  it('a listener serves unless a fault of its own is on, and the last one added decides', () => {
    const span = fc.record({ delayMs: fc.nat(50), durationMs: fc.integer({ min: 1, max: 50 }), isReset: fc.boolean() });
    fc.assert(
      fc.property(fc.array(span, { maxLength: 6 }), (spans) => {
        const board = new FaultBoard();
        for (const { delayMs, durationMs, isReset } of spans)
          board.add({ fault: isReset ? 'accept_reset' : 'connect_refused', models: null, rate: 1, seed: null, delayMs, durationMs }, 0);
        let previous = board.listenerState(0);
        for (let nowMs = 0; nowMs <= 101; nowMs++) {
          const on = spans.findLast(({ delayMs, durationMs }) => delayMs <= nowMs && nowMs < delayMs + durationMs);
          const { state, changesAtMs } = board.listenerState(nowMs);
          assert.equal(state, on === undefined ? 'serving' : on.isReset ? 'resetting' : 'refusing');
          // Nothing changes before it was announced.
          if (state !== previous.state) assert.ok(previous.changesAtMs !== null && previous.changesAtMs <= nowMs);
          previous = { state, changesAtMs };
        }
        assert.deepEqual(previous, { state: 'serving', changesAtMs: null });
      }),
      { numRuns: 100 },
    );
  });
});

describe('models that change under their name', () => {
  it('answer otherwise, with another system_fingerprint, until they are restored', async () => {
    const sim = await startSim();
    const client = new OpenAI({ apiKey: 'any', baseURL: `http://127.0.0.1:${sim.port}/v1`, maxRetries: 0 });
    const ask = async (): Promise<[string, string, string]> => {
      const {
        choices,
        system_fingerprint: fingerprint,
        model,
      } = await client.chat.completions.create({ ...BODY, messages: [{ role: 'user', content: BODY.messages[0]?.content ?? '' }] });
      return [choices[0]?.message.content ?? '', fingerprint ?? '', model];
    };
    const [text, fingerprint, model] = await ask();
    const swap = (values: unknown): Promise<Seen> => see(sim.port, '/sim/models/sim-large', { body: values });
    assert.equal((await swap({ version: '2', style: 'terse' })).status, 200);
    const [swappedText, swappedFingerprint, swappedModel] = await ask();
    assert.ok(swappedText.length < text.length / 2 && swappedText.length > 10, swappedText);
    assert.notEqual(swappedFingerprint, fingerprint);
    assert.equal(swappedModel, model);
    await swap({ style: 'chatty' });
    const [chatty, chattyFingerprint] = await ask();
    assert.ok(chatty.includes(text) && chatty.length > text.length);
    assert.equal(chattyFingerprint, swappedFingerprint);
    await swap({ style: 'bullets' });
    assert.match((await ask())[0], /^(- .+\n?)+$/);
    assert.equal((await see(sim.port, '/sim/models/sim-large', { method: 'DELETE' })).status, 200);
    assert.deepEqual(await ask(), [text, fingerprint, model]);
    assert.deepEqual([(await swap({ stile: 'terse' })).status, (await see(sim.port, '/sim/models/none', { body: {} })).status], [400, 404]);
    await sim.close();
  });
});
