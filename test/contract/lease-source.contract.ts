import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { LeaseAnswer, LeaseHolder, LeaseReport, LeaseSource } from '../../src/gateway/admission/lease-source.ts';

/** A place from which several gateways borrow; each test has its own. */
export interface LeaseSourceFixture {
  open(holder: LeaseHolder): LeaseSource;
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
      inWindow: 0,
      held: 0,
      spare: 0,
      want: 0,
      least: overrides.want ?? 0,
      ahead: 1_000,
      ...overrides,
    });
    const tell = async (source: LeaseSource, overrides: Partial<LeaseReport>): Promise<LeaseAnswer> => {
      const { answers } = await source.exchange([report(overrides)], overrides.restored !== undefined);
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

    it('takes over the window that a process comes with, instead of what it knew of the one before', async () => {
      const window = { kind: 'window' as const, windowMs: 60_000, keepMs: 60_000 };
      const restored: [number, number][] = [
        [90_000, 50],
        [1_000, 30],
      ];
      const a = open('a');
      assert.equal((await tell(a, { ...window, inWindow: 30, restored })).used, 30);
      assert.equal((await tell(a, { ...window, inWindow: 30, restored })).used, 30, 'said twice, counted once');
      await tell(a, { ...window, inWindow: 30, want: 20, least: 20, ahead: 0 });
      await tell(a, { ...window, inWindow: 35, used: 5, held: 15, spare: 15 });
      const b = open('b');
      assert.equal((await tell(b, { ...window, restored: [] })).free, 100 - 35 - 15);
      // Three were used that nobody was told of; twelve of what was lent were not.
      const second = open('a', 'second');
      const again = await tell(second, { ...window, inWindow: 38, restored: [[2_000, 38]] });
      assert.deepEqual([again.used, again.free], [38, 62]);
    });

    it('a window that it has forgotten has to be told anew before anything is lent', async () => {
      const window = { kind: 'window' as const, windowMs: 60_000, keepMs: 60_000 };
      const a = open('a');
      const first = await tell(a, { ...window, used: 5_000, inWindow: 70, want: 40 });
      assert.deepEqual([first.granted, first.isForgotten, first.isContended], [0, true, true]);
      const second = await tell(a, { ...window, used: 5_000, inWindow: 70, restored: [[30_000, 70]], want: 40, least: 30, ahead: 0 });
      assert.deepEqual([second.granted, second.isForgotten, second.used], [30, false, 70]);
      assert.equal((await tell(a, { ...window, used: 5_010, inWindow: 80, held: 20 })).used, 80);
    });

    it('never believes less than what a gateway counts in its window', async () => {
      const window = { kind: 'window' as const, windowMs: 60_000, keepMs: 60_000 };
      const a = open('a');
      assert.equal((await tell(a, { ...window, used: 10, inWindow: 25, restored: [[0, 10]] })).used, 25);
    });

    it('what a process held is lent until the next one of its writer has told all that was used', async () => {
      const [a, b] = [open('a'), open('b')];
      const first = key;
      await tell(a, { want: 20, ahead: 0 });
      await tell(a, { used: 5, held: 15 });
      key = `${first}second`;
      await tell(a, { want: 50, ahead: 0 });
      await tell(a, { held: 50, spare: 50 });
      key = first;
      const again = open('a', 'again');
      // It was killed when it had used seven more of the first limit, and nothing of the second.
      const { answers } = await again.exchange([report({ used: 12 })], false);
      assert.deepEqual([answers[0]?.used, answers[0]?.free], [12, 88]);
      key = `${first}second`;
      assert.equal((await tell(b, {})).free, 50, 'not all is told yet');
      key = first;
      await again.exchange([report({ used: 12 })], true);
      key = `${first}second`;
      assert.equal((await tell(b, {})).free, 100);
      assert.ok((await again.exchange([report({ want: 100 })], false)).answers[0]?.granted === 100);
      assert.equal((await tell(b, {})).free, 0, 'what the new process borrows counts');
    });

    it('asks all who hold something before it says that there is nothing', async () => {
      const [a, b] = [open('a'), open('b')];
      const gauge = { kind: 'gauge' as const, keepMs: 0 };
      await tell(a, { ...gauge, want: 100, ahead: 0 });
      await tell(a, { ...gauge, held: 100 });
      assert.deepEqual((({ granted, isContended }) => [granted, isContended])(await tell(b, { ...gauge, want: 1 })), [0, true]);
      // All of its calls still run.
      await tell(a, { ...gauge, held: 100 });
      assert.deepEqual((({ granted, isContended }) => [granted, isContended])(await tell(b, { ...gauge, want: 1 })), [0, false]);
      await tell(b, { ...gauge });
      assert.equal((await tell(b, { ...gauge, want: 1 })).isContended, true, 'the next wish asks again');
      await tell(a, { ...gauge, held: 99 });
      assert.equal((await tell(b, { ...gauge, want: 1 })).granted, 1);
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
