import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Plimsoll, startPlimsoll } from '../harness/plimsoll.ts';
import { type StubProvider, startStubProvider, stubConfig } from '../harness/stub-provider.ts';

const START_MS = Date.UTC(2026, 0, 1);

describe('fake clock across the process tree', () => {
  let stub: StubProvider;
  let plimsoll: Plimsoll;
  before(async () => {
    stub = await startStubProvider();
    plimsoll = await startPlimsoll({ config: stubConfig(stub.port), variables: { PLIMSOLL_FAKE_CLOCK: `${START_MS}` } });
  });
  after(async () => {
    await plimsoll.stop();
    await stub.close();
  });

  it('a key that expires in an hour works until the clock has moved', async () => {
    const created = await plimsoll.api<{ key: string }>('/api/v1/keys', {
      method: 'POST',
      body: { name: 'short-lived', feature: 'load', expiresAt: START_MS + 3_600_000 },
    });
    const call = () =>
      fetch(`${plimsoll.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${created.key}`, 'content-type': 'application/json' },
        body: '{"model":"default","messages":[{"role":"user","content":"hello"}]}',
      });
    const statusAfter = async (expected: number): Promise<number> => {
      // The new key reaches the gateway with the next snapshot.
      for (let attempt = 0; attempt < 100; attempt++) {
        const { status } = await call();
        if (status === expected) return status;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      return (await call()).status;
    };
    assert.equal(await statusAfter(200), 200);
    await plimsoll.advance(3_599_000);
    assert.equal((await call()).status, 200);
    await plimsoll.advance(2_000);
    assert.equal((await call()).status, 401);
  });
});
