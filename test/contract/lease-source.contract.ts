import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { LeaseAnswer, LeaseHolder, LeaseReport, LeaseSource } from '../../src/gateway/admission/lease-source.ts';

/** A place from which several gateways borrow; each test has its own. */
export interface LeaseSourceFixture {
  open(holder: LeaseHolder): LeaseSource;
  /** The process of a writer ends, and its host knows. */
  wait(ms: number): Promise<void>;
  close(): Promise<void>;
}

export function leaseSourceContract(driver: string, create: () => Promise<LeaseSourceFixture>, skip: string | false = false): void {
  describe(`LeaseSource contract: ${driver}`, { skip }, () => {
    let fixture: LeaseSourceFixture;
    let number = 0;
    let key = '';
    const opened: LeaseSource[] = [];
    before(async () => {
      fixture = await create();
    });
    after(async () => {
      for (const source of opened) await source.close();
      await fixture.close();
    });
    beforeEach(() => {
      key = `limit-${++number}\nmember\n`;
    });
    const open = (writer: string, incarnation = writer): LeaseSource => {
      const source = fixture.open({ writer: `${writer}-${number}`, incarnation });
      opened.push(source);
      return source;
    };
    const report = (overrides: Partial<LeaseReport>): LeaseReport => ({
      key,
      kind: 'total',
      capacity: 100,
      windowMs: null,
      keepMs: 60_000,
      used: 0,
      held: 0,
      spare: 0,
      want: 0,
      least: overrides.want ?? 0,
      ...overrides,
    });
    const tell = async (source: LeaseSource, overrides: Partial<LeaseReport>): Promise<LeaseAnswer> => {
      const { answers } = await source.exchange([report(overrides)]);
      return answers[0] ?? assert.fail('no answer');
    };

    it('lends what is asked and a share of what is free, never more than the limit in all', async () => {
      const [a, b] = [open('a'), open('b')];
      const first = await tell(a, { want: 10 });
      assert.equal(first.granted, 10 + Math.floor(90 / 4));
      assert.equal(first.free, 100 - first.granted);
      let held = 0;
      for (;;) {
        const { granted } = await tell(b, { held, want: 1 });
        if (granted === 0) break;
        held += granted;
      }
      assert.equal(held + first.granted, 100, 'the limit is reached exactly');
      assert.equal((await tell(b, { held, want: 1 })).free, 0);
    });

    it('gives the rest to who can use a part of what it wants, and nothing to who cannot', async () => {
      const a = open('a');
      const { granted } = await tell(a, { want: 95, least: 95 });
      const b = open('b');
      assert.equal((await tell(b, { want: 20, least: 10 })).granted, 0);
      const rest = 100 - granted;
      assert.equal((await tell(b, { want: 20, least: 1 })).granted, rest);
    });

    it('counts totals for ever, by what each gateway says that it has used in all', async () => {
      const [a, b] = [open('a'), open('b')];
      await tell(a, { want: 50 });
      assert.equal((await tell(a, { used: 40, held: 5 })).used, 40);
      assert.equal((await tell(a, { used: 40, held: 5 })).used, 40, 'said twice, counted once');
      assert.equal((await tell(b, { used: 30 })).used, 70);
      assert.equal((await tell(b, { used: 30, want: 30, least: 30 })).granted, 0);
      assert.equal((await tell(a, { used: 45 })).free, 25);
    });

    it('asks back what others hold spare', async () => {
      const [a, b] = [open('a'), open('b')];
      const recalled: string[] = [];
      a.onRecall((keys) => void recalled.push(...keys));
      await fixture.wait(200);
      const { granted } = await tell(a, { want: 100 });
      assert.equal(granted, 100);
      await tell(a, { held: 100, spare: 60 });
      const answer = await tell(b, { want: 10 });
      assert.deepEqual([answer.granted, answer.isContended], [0, true]);
      for (let waited = 0; recalled.length === 0 && waited < 2_000; waited += 20) await fixture.wait(20);
      assert.deepEqual([...new Set(recalled)], [key]);
      await tell(a, { held: 40 });
      assert.ok((await tell(b, { want: 10 })).granted >= 10);
      const none = await tell(b, { held: 60, want: 50 });
      assert.deepEqual([none.granted, none.isContended], [0, false], 'what calls hold is not spare');
    });

    it('a window counts from when it was said, takes corrections, and forgets', async () => {
      const window = { kind: 'window' as const, windowMs: 1_000, keepMs: 1_000 };
      const [a, b] = [open('a'), open('b')];
      await tell(a, { ...window, want: 80 });
      assert.equal((await tell(a, { ...window, used: 80 })).used, 80);
      assert.equal((await tell(a, { ...window, used: 60 })).used, 60);
      assert.equal((await tell(b, { ...window, want: 50 })).granted, 0);
      assert.ok((await tell(b, { ...window, want: 40 })).granted >= 40);
      await tell(b, { ...window });
      await fixture.wait(1_100);
      const later = await tell(b, { ...window });
      assert.deepEqual([later.used, later.free], [0, 100]);
    });

    it('takes over the window of an earlier process only from a gateway that it does not know', async () => {
      const window = { kind: 'window' as const, windowMs: 60_000, keepMs: 60_000 };
      const restored: [number, number][] = [
        [1_000, 30],
        [90_000, 50],
      ];
      assert.equal((await tell(open('a'), { ...window, restored })).used, 30);
      assert.equal((await tell(open('a', 'second'), { ...window, restored })).used, 30);
    });

    it('what a process held that was followed by another counts as used: in a window, and in a total until the writer says what it used', async () => {
      const window = { kind: 'window' as const, windowMs: 60_000, keepMs: 60_000 };
      const a = open('a');
      await tell(a, { ...window, want: 20, least: 20 });
      await tell(a, { ...window, used: 5, held: 10, spare: 10 });
      const second = await tell(open('a', 'second'), { ...window, used: 3 });
      assert.equal(second.used, 5 + 10 + 3);
      key = `${key}total`;
      const b = open('b');
      await tell(b, { want: 20 });
      await tell(b, { used: 5, held: 15 });
      const restarted = await tell(open('b', 'second'), { used: 12 });
      assert.deepEqual([restarted.used, restarted.free], [12, 88]);
    });

    it('who is silent too long is taken for dead: its calls in flight are over, its money stays spent until it comes back', async () => {
      const [a, b] = [open('a'), open('b')];
      const gauge = { kind: 'gauge' as const, keepMs: 0 };
      await tell(a, { ...gauge, key: `${key}gauge`, want: 100 });
      await tell(a, { want: 60 });
      await tell(a, { held: 60, used: 10 });
      await fixture.wait(3_200);
      assert.equal((await tell(b, { ...gauge, key: `${key}gauge` })).free, 100);
      assert.equal((await tell(b, {})).free, 30);
      assert.equal((await tell(a, { used: 50 })).free, 50);
    });

    it('never lends more than the limit however gateways race', async () => {
      const sources = Array.from({ length: 5 }, (_, index) => open(`w${index}`));
      const held = await Promise.all(
        sources.map(async (source) => {
          let sum = 0;
          for (let turn = 0; turn < 20; turn++) sum += (await tell(source, { held: sum, want: 7, least: 1 })).granted;
          return sum;
        }),
      );
      assert.equal(
        held.reduce((sum, amount) => sum + amount, 0),
        100,
      );
    });

    it('holds amounts up to nine million dollars in nano-dollars exactly', async () => {
      const capacity = 9_000_000_000_000_000;
      const a = open('a');
      await tell(a, { capacity, used: capacity - 3 });
      const answer = await tell(a, { capacity, used: capacity - 3, want: 3 });
      assert.deepEqual([answer.granted, answer.free, answer.used], [3, 0, capacity - 3]);
    });
  });
}
