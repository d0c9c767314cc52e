import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import OpenAI from 'openai';
import type { z } from 'zod';
import type { createPlimsoll, Feedback, Outcome, PlimsollReportError, Score } from '../../sdk/src/plimsoll.ts';
import { startSim } from '../../src/sim/testing.ts';
import type { TraceDetail } from '../../src/traces/model.ts';
import type { FeedbackDraft, OutcomeDraft, ScoreDraft } from '../../src/traces/scores/drafts.ts';
import type { Score as StoredScore } from '../../src/traces/scores/model.ts';
import { eventually, type Plimsoll, startPlimsoll } from '../harness/plimsoll.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Compiles only while what the SDK sends is what the API takes, member by member. */
type Same<A, B> = [keyof A, keyof B] extends [keyof B, keyof A] ? true : never;
const AGREED: [
  Same<Feedback, z.input<typeof FeedbackDraft>>,
  Same<Outcome, z.input<typeof OutcomeDraft>>,
  Same<Score, z.input<typeof ScoreDraft>>,
] = [true, true, true];

describe('the SDK, as it is built, against a Plimsoll', { timeout: 120_000 }, () => {
  const dist = mkdtempSync(join(tmpdir(), 'plimsoll-sdk-'));
  let server: Plimsoll;
  let sim: Awaited<ReturnType<typeof startSim>>;
  let sdk: { createPlimsoll: typeof createPlimsoll; PlimsollReportError: typeof PlimsollReportError };

  before(async () => {
    const built = spawnSync(join(ROOT, 'node_modules', '.bin', 'tsc'), ['-p', join(ROOT, 'sdk', 'tsconfig.json'), '--outDir', dist], {
      encoding: 'utf8',
    });
    assert.equal(built.status, 0, built.stdout);
    [server, sim, sdk] = await Promise.all([startPlimsoll(), startSim(), import(pathToFileURL(join(dist, 'plimsoll.js')).href)]);
  });
  after(async () => {
    await server?.stop();
    await sim?.close();
    rmSync(dist, { recursive: true, force: true });
  });

  it('brings a call that no gateway saw, with tokens and times, and the feedback on it', async () => {
    assert.deepEqual(AGREED, [true, true, true]);
    const plimsoll = sdk.createPlimsoll({ url: server.url, key: server.virtualKey, flushMs: 10 });
    const client = plimsoll.monitored(new OpenAI({ baseURL: `http://127.0.0.1:${sim.port}/openai/v1`, apiKey: 'sim' }), {
      feature: 'customer-support',
      user: 'u-9',
      session: 'conversation-9',
    });
    const stream = await client.chat.completions.create({
      model: 'sim-small',
      messages: [{ role: 'user', content: 'Where is my parcel, dear SDK?' }],
      stream: true,
      stream_options: { include_usage: true },
    });
    let usage: OpenAI.CompletionUsage | null | undefined = null;
    for await (const event of stream) usage = event.usage ?? usage;
    const traceId = plimsoll.traceIdOf(stream);
    assert.ok(traceId);
    const ids = await plimsoll.feedback({ traceId, stars: 4, thumbs: 'up', user: 'u-9' });
    assert.equal(ids.length, 2);
    await plimsoll.outcome({ session: 'conversation-9', outcome: 'resolved', valueUsd: '1.5' });
    await plimsoll.score({ traceId, name: 'faithfulness', value: 0.9, source: 'code' });
    await plimsoll.flush();
    assert.deepEqual(plimsoll.stats, { sent: 1, dropped: 0, waiting: 0 });
    const { trace, spans } = await eventually(
      'the trace',
      () => server.api<TraceDetail>(`/api/v1/traces/${traceId}`),
      (detail) => detail.spans.length === 1,
    );
    assert.deepEqual(
      [trace.feature, trace.user, trace.session, trace.inputTokens, trace.outputTokens, trace.status],
      ['customer-support', 'u-9', 'conversation-9', usage?.prompt_tokens, usage?.completion_tokens, 'ok'],
    );
    assert.ok(trace.ttftMs !== null && trace.ttftMs <= trace.durationMs);
    assert.equal(trace.inputPreview, 'Where is my parcel, dear SDK?');
    assert.equal(spans[0]?.kind, 'llm');
    const { scores } = await eventually(
      'its scores',
      () => server.api<{ scores: StoredScore[] }>(`/api/v1/traces/${traceId}/scores`),
      (found) => found.scores.length === 4,
    );
    assert.deepEqual(scores.map(({ name }) => name).sort(), ['csat', 'faithfulness', 'resolved', 'thumbs']);
  });

  it('says why a report was not taken', async () => {
    const plimsoll = sdk.createPlimsoll({ url: server.url, key: server.virtualKey });
    await assert.rejects(plimsoll.feedback({ session: 's', stars: 9 }), (thrown) => {
      assert.ok(thrown instanceof sdk.PlimsollReportError);
      assert.deepEqual([thrown.status, thrown.code], [400, 'invalid_argument']);
      assert.match(thrown.message, /stars/);
      return true;
    });
  });
});
