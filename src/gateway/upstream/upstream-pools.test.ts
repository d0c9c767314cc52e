import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { systemClock } from '../../kernel/clock.ts';
import { type CompiledProvider, compileSnapshot } from '../compiled-snapshot.ts';
import { testProvider, testSnapshot, until } from '../testing.ts';
import { answer, post, type RawServer, startRawServer } from './testing.ts';
import { UpstreamPools } from './upstream-pools.ts';

let server: RawServer;

before(async () => {
  server = await startRawServer(({ socket, body }) => void socket.write(answer(body)));
});
after(() => server.close());

function providers(...overrides: Parameters<typeof testProvider>[1][]): readonly CompiledProvider[] {
  const list = overrides.map((override) => testProvider(`${server.origin}/v1`, override));
  return compileSnapshot(testSnapshot('', { providers: list, models: [], routes: [] }), () => null).providers;
}

describe('UpstreamPools', () => {
  it('shares a pool between providers of one origin, also across snapshots, and closes what no snapshot names', async () => {
    const pools = new UpstreamPools(systemClock);
    const [one, two, wider] = providers({ name: 'one' }, { name: 'two' }, { name: 'wider', maxConnections: 65 });
    const [again] = providers({ name: 'one' });
    assert.ok(one !== undefined && two !== undefined && wider !== undefined && again !== undefined);
    const pool = pools.get(one);
    assert.equal(pools.get(two), pool);
    assert.notEqual(pools.get(wider), pool);
    await post(pool).handler.done;
    await post(pools.get(wider)).handler.done;
    assert.deepEqual(pools.stats(), [
      { origin: server.origin, connected: 1, running: 0, queued: 0 },
      { origin: server.origin, connected: 1, running: 0, queued: 0 },
    ]);
    pools.retain([again]);
    assert.equal(pools.get(again), pool);
    assert.equal(pool.isClosed, false);
    await until(() => server.sockets.size === 1, 'the connection of the other pool is closed');
    // A call of the snapshot before may still come.
    const revived = pools.get(wider);
    assert.equal((await post(revived, 'late').handler.done).body, 'late');
    pools.close();
    await until(() => server.sockets.size === 0, 'all connections are closed');
    assert.deepEqual(pools.stats(), []);
  });
});
