import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { jsonRequest, protobufRequest, type TestSpan } from '../../src/traces/otlp/testing.ts';
import { readStore } from '../harness/ledger.ts';
import { eventually, startPlimsoll } from '../harness/plimsoll.ts';

const KILLS = Number(process.env.PLIMSOLL_KILLS ?? 6);
const SENDERS = 4;
const SPANS_PER_BATCH = 5;

function batch(): TestSpan[] {
  const traceId = randomBytes(16).toString('hex');
  const startNs = BigInt(Date.now()) * 1_000_000n;
  return Array.from({ length: SPANS_PER_BATCH }, (_, place) => ({
    traceId,
    spanId: randomBytes(8).toString('hex'),
    name: `chat ${place}`,
    startNs,
    endNs: startNs + 1_000_000n,
    attributes: {
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'openai',
      'gen_ai.request.model': 'gpt-4o',
      'gen_ai.usage.input_tokens': 10,
      'gen_ai.usage.output_tokens': 1,
    },
  }));
}

/** Control takes the spans in, the engine is where they go. */
for (const role of ['control', 'engine'] as const)
  describe(`kill -9 of ${role} while spans come in`, () => {
    it(`${KILLS} times: every acknowledged span is in the store exactly once, also those sent again for want of an answer`, {
      timeout: 300_000,
    }, async () => {
      const plimsoll = await startPlimsoll();
      try {
        const acknowledged = new Set<string>();
        let isStopping = false;
        let resent = 0;
        const send = async (sender: number): Promise<void> => {
          while (!isStopping) {
            const spans = batch();
            const isJson = sender % 2 === 0;
            const body = isJson ? jsonRequest([{ spans }]) : protobufRequest([{ spans }]);
            // As exporters do: the same bytes until somebody answers.
            for (let attempt = 0; ; attempt++) {
              const status = await fetch(`${plimsoll.url}/v1/traces`, {
                method: 'POST',
                headers: {
                  authorization: `Bearer ${plimsoll.virtualKey}`,
                  'content-type': isJson ? 'application/json' : 'application/x-protobuf',
                },
                body,
              }).then(
                async (answer) => {
                  await answer.arrayBuffer();
                  return answer.status;
                },
                () => 0,
              );
              if (status === 200) break;
              assert.ok(status === 0 || status === 503 || status === 429 || status === 502, `${status}`);
              if (isStopping && attempt > 100) return;
              resent += 1;
              await new Promise((resolve) => setTimeout(resolve, 50));
            }
            for (const span of spans) acknowledged.add(`${span.traceId}/${span.spanId}`);
          }
        };
        const senders = Array.from({ length: SENDERS }, (_, place) => send(place));
        for (let kill = 0; kill < KILLS; kill++) {
          await new Promise((resolve) => setTimeout(resolve, 200 + Math.random() * 600));
          const pid = (await plimsoll.pids())[role];
          assert.ok(pid, `${role} runs`);
          process.kill(pid, 'SIGKILL');
          await eventually(
            `${role} is back after kill ${kill}`,
            async () => (await plimsoll.pids())[role],
            (now) => now !== null && now !== undefined && now !== pid,
          );
        }
        await new Promise((resolve) => setTimeout(resolve, 500));
        isStopping = true;
        await Promise.all(senders);
        // A store that is away is no reason to refuse: what was acknowledged waits in the journal.
        if (role === 'control') assert.ok(resent > 0, 'no batch was ever sent again: the test did not test');
        await eventually(
          'the ingest has caught up',
          () => plimsoll.api<{ ingest: { pendingBytes: number } }>('/api/v1/status'),
          ({ ingest }) => ingest.pendingBytes === 0,
        );
        const rows = await readStore<{ place: string; n: string }>(
          plimsoll,
          "SELECT concat(trace_id, '/', span_id) AS place, toString(count()) AS n FROM spans GROUP BY place",
        );
        const stored = new Map(rows.map(({ place, n }) => [place, Number(n)]));
        const lost = [...acknowledged].filter((place) => !stored.has(place));
        assert.deepEqual(lost, [], `${lost.length} of ${acknowledged.size} acknowledged spans are lost`);
        const doubled = [...stored].filter(([, n]) => n !== 1);
        assert.deepEqual(doubled, [], `${doubled.length} of ${stored.size} spans are doubled`);
        const [rollup] = await readStore<{ n: string }>(plimsoll, 'SELECT toString(sum(requests)) AS n FROM rollup_1m');
        assert.equal(Number(rollup?.n), stored.size, 'the rollup counts each once');
      } finally {
        await plimsoll.stop();
      }
    });
  });
