import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { FakeClock } from '../kernel/clock.ts';
import type { CompiledSnapshot } from './snapshot-compiler.ts';
import { SnapshotPublisher } from './snapshot-publisher.ts';

function content(hash: string): CompiledSnapshot {
  const limits = { maxBodyBytes: 1, maxJsonDepth: 1, maxConcurrentRequests: 1, maxPayloadBytes: 1 };
  return {
    hash,
    nextChangeMs: null,
    content: {
      schemaVersion: 1,
      organisationId: 'o',
      environment: hash,
      keyPepper: '',
      providers: [],
      models: [],
      routes: [],
      features: [],
      keys: [],
      limits,
    },
  };
}

describe('SnapshotPublisher', () => {
  let publisher: SnapshotPublisher;
  const errors: unknown[] = [];
  let published = 0;
  let epoch = 0;
  const make = (compile: () => Promise<CompiledSnapshot>): SnapshotPublisher => {
    epoch = 0;
    publisher = new SnapshotPublisher({
      clock: new FakeClock(5),
      compile,
      epochOf: () => Promise.resolve(++epoch),
      storedEpoch: () => Promise.resolve(epoch),
      onError: (error) => errors.push(error),
      onPublished: () => published++,
    });
    return publisher;
  };
  afterEach(() => publisher.close());
  const never = new AbortController().signal;

  it('a new epoch for new content only, and waiting gateways are woken by it', async () => {
    let hash = 'a';
    make(() => Promise.resolve(content(hash)));
    await publisher.start();
    assert.equal(publisher.current?.epoch, 1);
    assert.equal((await publisher.next(-1, 0, never))?.epoch, 1);
    assert.equal(await publisher.next(1, 0, never), null);
    const waiting = publisher.next(1, 60_000, never);
    await publisher.refresh();
    assert.equal(publisher.current?.epoch, 1);
    hash = 'b';
    await publisher.refresh();
    assert.equal((await waiting)?.environment, 'b');
    assert.equal(published, 2);
  });

  it('what another control published is taken up within a second', async ({ mock }) => {
    mock.timers.enable({ apis: ['setTimeout'] });
    let hash = 'a';
    make(() => Promise.resolve(content(hash)));
    await publisher.start();
    const waiting = publisher.next(1, 60_000, never);
    hash = 'b';
    epoch = 1.5;
    mock.timers.tick(999);
    assert.equal((await waiting)?.environment, 'b');
  });

  it('a failed compile keeps the old snapshot and is reported', async () => {
    let isBroken = false;
    make(() => (isBroken ? Promise.reject(new Error('broken')) : Promise.resolve(content('a'))));
    await publisher.start();
    isBroken = true;
    await publisher.refresh();
    assert.equal(publisher.current?.epoch, 1);
    assert.match(String(errors.at(-1)), /broken/);
    isBroken = false;
    await publisher.refresh();
    assert.equal(publisher.current?.epoch, 1);
  });

  it('without any snapshot it does not start, and a gateway that leaves is let go', async () => {
    make(() => Promise.reject(new Error('no')));
    await assert.rejects(publisher.start(), /no/);
    make(() => Promise.resolve(content('a')));
    await publisher.start();
    const abort = new AbortController();
    const waiting = publisher.next(1, 60_000, abort.signal);
    abort.abort();
    assert.equal(await waiting, null);
  });
});
