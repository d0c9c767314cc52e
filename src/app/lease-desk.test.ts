import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LeaseExchange, LeaseReport } from '../gateway/admission/lease-source.ts';
import { FakeClock } from '../kernel/clock.ts';
import { LeaseDesk } from './lease-desk.ts';

const CAPACITY = 100;

function report(used: number, want: number): LeaseReport {
  return {
    key: 'k',
    kind: 'total',
    capacity: CAPACITY,
    windowMs: null,
    keepMs: 1e9,
    used,
    inWindow: 0,
    held: 0,
    spare: 0,
    want,
    least: 1,
    ahead: 0,
  };
}

/** A desk and a worker that says what it has used and asks for all there is. */
function scene(writers: readonly string[]) {
  const clock = new FakeClock(0);
  const desk = new LeaseDesk(clock, writers);
  let id = 0;
  const ask = (writer: string, used: number, isComplete = true): number => {
    let exchange: LeaseExchange | null = null;
    const worker = {
      writer,
      send: (message: { type: string; exchange?: LeaseExchange }) => {
        if (message.type === 'lease.reply') exchange = message.exchange ?? null;
      },
    };
    desk.answer(
      { type: 'lease.exchange', id: ++id, holder: { writer, incarnation: `${writer} now` }, reports: [report(used, CAPACITY)], isComplete },
      worker,
    );
    return (exchange as LeaseExchange | null)?.answers[0]?.granted ?? Number.NaN;
  };
  return { clock, ask };
}

describe('LeaseDesk', () => {
  it('lends at once where nobody counted before', () => {
    assert.equal(scene([]).ask('gateway-1', 0), CAPACITY);
  });

  it('lends nothing before all who counted here have spoken, however late they come', async () => {
    const { clock, ask } = scene(['gateway-1', 'gateway-2']);
    // A machine under load: the first word comes long after the start.
    await clock.advance(10 * 60_000);
    assert.equal(ask('gateway-1', 30), 0);
    await clock.advance(59_000);
    assert.equal(ask('gateway-1', 30), 0);
    assert.equal(ask('gateway-2', 65, false), 0, 'it has not told everything');
    ask('gateway-2', 65);
    assert.equal(ask('gateway-1', 30), CAPACITY - 95);
  });

  it('does not wait for ever for one that cannot start', async () => {
    const { clock, ask } = scene(['gateway-1', 'gateway-2']);
    assert.equal(ask('gateway-1', 30), 0);
    await clock.advance(60_000);
    assert.equal(ask('gateway-1', 30), CAPACITY - 30);
  });
});
