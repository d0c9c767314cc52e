import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { Agent } from 'undici';
import type { MetricSummary } from '../../src/traces/model.ts';
import { chat } from '../fault/chat.ts';
import { type PacedProvider, startPacedProvider } from '../harness/paced-provider.ts';
import { eventually, type Plimsoll, startPlimsoll } from '../harness/plimsoll.ts';

const STREAMS = 256;
const PACE_MS = 40;

interface RoutingState {
  readonly configured: readonly { readonly name: string; readonly targets: readonly { readonly model: string }[] }[];
}

interface RunningStream {
  readonly question: string;
  readonly status: number;
  /** Resolves with everything that was sent, once the connection has ended as it should. */
  readonly whole: Promise<string>;
}

function contentOf(events: string): string {
  return events
    .split('\n\n')
    .flatMap((event) => {
      if (!event.startsWith('data: {')) return [];
      const { choices } = JSON.parse(event.slice('data: '.length)) as { choices: { delta: { content?: string } }[] };
      return choices.map(({ delta }) => delta.content ?? '');
    })
    .join('');
}

describe('a route is changed while streams run', { timeout: 180_000 }, () => {
  let old: PacedProvider;
  let young: PacedProvider;
  let plimsoll: Plimsoll;
  const agent = new Agent({ connections: STREAMS, pipelining: 1 });

  /** @param targets model aliases of the route @param hasOld whether the old provider is in the file at all */
  function config(targets: string, hasOld = true): string {
    const provider = (name: string, port: number): string =>
      `  ${name}: { kind: openai-compatible, baseUrl: "http://127.0.0.1:${port}/v1", maxConnections: 512 }\n`;
    return `version: 1
providers:
${hasOld ? provider('old', old.port) : ''}${provider('young', young.port)}models:
${hasOld ? '  old-model: { provider: old, model: old }\n' : ''}  young-model: { provider: young, model: young }
prices: { young-model: { inputPerMillionUsd: 1, outputPerMillionUsd: 2 } }
routes: { default: { targets: [${targets}] } }
features: { load: { owner: test, costOwner: a@example.com, route: default } }
gateway: { workers: 2 }
`;
  }

  before(async () => {
    old = await startPacedProvider('old', PACE_MS);
    young = await startPacedProvider('young', PACE_MS);
    plimsoll = await startPlimsoll({ config: config('old-model, young-model') });
    await eventually(
      'both workers follow control',
      () => plimsoll.api<{ gateway: { workers: number; ready: boolean } }>('/api/v1/status'),
      ({ gateway }) => gateway.workers === 2 && gateway.ready,
    );
  });
  after(async () => {
    await agent.destroy();
    await plimsoll?.stop();
    await old?.close();
    await young?.close();
  });

  async function open(question: string): Promise<RunningStream> {
    const answer = await agent.request({
      origin: plimsoll.url,
      path: '/v1/chat/completions',
      method: 'POST',
      headers: { authorization: `Bearer ${plimsoll.virtualKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'default', stream: true, messages: [{ role: 'user', content: question }] }),
      headersTimeout: 30_000,
    });
    return { question, status: answer.statusCode, whole: answer.body.text() };
  }

  /** Who answers new calls now; each on a connection of its own, so that both workers are asked. */
  async function answeredBy(): Promise<Set<string>> {
    const answers = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const answer = await fetch(`${plimsoll.url}/v1/chat/completions`, {
          method: 'POST',
          headers: { authorization: `Bearer ${plimsoll.virtualKey}`, 'content-type': 'application/json', connection: 'close' },
          body: JSON.stringify({ model: 'default', messages: [{ role: 'user', content: 'who are you?' }] }),
        });
        const { choices } = (await answer.json()) as { choices: { message: { content: string } }[] };
        return choices[0]?.message.content ?? `status ${answer.status}`;
      }),
    );
    return new Set(answers);
  }

  it('none breaks, all complete with exactly their text, and new calls take the new route', async () => {
    const streams = await Promise.all(Array.from({ length: STREAMS }, (_, index) => open(`q${index}`)));
    // Nobody is looked at before the end: what breaks meanwhile must not end the test without its reason.
    const wholes = Promise.allSettled(streams.map(({ whole }) => whole));
    assert.deepEqual(new Set(streams.map(({ status }) => status)), new Set([200]));
    assert.equal(old.running, STREAMS);
    assert.deepEqual(await answeredBy(), new Set(['old:who are you?']));

    writeFileSync(plimsoll.configPath, config('young-model, old-model'));
    await eventually('new calls take the new order', answeredBy, (names) => names.size === 1 && names.has('young:who are you?'), 15_000);
    assert.equal(old.running, STREAMS);

    // Not only another order: what answers the streams is not in the file any more.
    writeFileSync(plimsoll.configPath, config('young-model', false));
    await eventually(
      'the old target is gone',
      () => plimsoll.api<RoutingState>('/api/v1/routes'),
      ({ configured }) => configured.every(({ targets }) => targets.length === 1),
      15_000,
    );
    await eventually(
      'every worker has it',
      async () => (await chat(plimsoll.url, plimsoll.virtualKey, 'are you there?', { model: 'old-model' })).status,
      (status) => status === 404,
      15_000,
    );
    assert.deepEqual(await answeredBy(), new Set(['young:who are you?']));
    assert.deepEqual([old.running, old.broken], [STREAMS, 0]);

    old.finish();
    for (const [index, result] of (await wholes).entries()) {
      const question = streams[index]?.question ?? '';
      if (result.status === 'rejected') throw new Error(`the stream of ${question} broke`, { cause: result.reason });
      const text = old.textOf(question) ?? '';
      assert.ok(text.split(' ').length > 10, `${question} went on while the routes changed: ${text}`);
      assert.equal(contentOf(result.value), text);
      assert.match(result.value, /data: \[DONE\]\s*$/);
      assert.doesNotMatch(result.value, /"error"/);
    }
    assert.equal(old.broken, 0);
    const asked = STREAMS + old.jsonCalls + young.jsonCalls;
    const { total } = await eventually(
      'every call is in the metrics',
      () => plimsoll.api<MetricSummary>('/api/v1/metrics/summary'),
      (summary) => summary.total.requests - summary.total.errors >= asked,
      30_000,
    );
    // The only errors are those of who asked for the model that is gone.
    assert.equal(total.requests - total.errors, asked);
  });
});
