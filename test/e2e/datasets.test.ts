import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { TraceDetail } from '../../src/traces/model.ts';
import { ADMIN_KEY, eventually, type Plimsoll, SIM_CONFIG_FAST, startPlimsoll } from '../harness/plimsoll.ts';
import { type CliResult, cli } from './cli-run.ts';

const KEY = 'dataset-test-key-0123456789';
const CONFIG = `version: 1
${SIM_CONFIG_FAST}providers: { sim: { kind: sim } }
models: { small: { provider: sim, model: sim-small } }
routes: { main: { targets: [small] } }
features: { support: { owner: test, costOwner: a@example.com, route: main } }
keys: [ { name: any, key: "\${DATASET_TEST_KEY}" } ]
`;

describe('datasets', { timeout: 600_000 }, () => {
  let plimsoll: Plimsoll;
  let project: string;
  before(async () => {
    project = mkdtempSync(join(tmpdir(), 'plimsoll-datasets-'));
    plimsoll = await startPlimsoll({ config: CONFIG, variables: { DATASET_TEST_KEY: KEY } });
  });
  after(async () => {
    await plimsoll.stop();
    rmSync(project, { recursive: true, force: true });
  });

  const run = (...words: string[]): Promise<CliResult> =>
    cli(['datasets', ...words], { cwd: project, variables: { PLIMSOLL_URL: plimsoll.url, PLIMSOLL_ADMIN_KEY: ADMIN_KEY } });
  const done = async (...words: string[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await run(...words);
    assert.equal(exitCode, 0, `${words.join(' ')}: ${stderr}`);
    return stdout;
  };
  const file = (): string => join(project, 'datasets', 'support.yaml');

  it('makes a case of a trace and its corrected answer, redacted, and once', async () => {
    const answer = await fetch(`${plimsoll.url}/v1/chat/completions`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${KEY}`,
        'content-type': 'application/json',
        'x-plimsoll-feature': 'support',
        'x-plimsoll-session': 'talk',
      },
      body: JSON.stringify({ model: 'main', messages: [{ role: 'user', content: 'I am ann@example.com: where is my parcel?' }] }),
    });
    assert.equal(answer.status, 200, await answer.text());
    const traceId = answer.headers.get('x-plimsoll-trace-id') ?? '';
    await plimsoll.api('/api/v1/feedback', { method: 'POST', body: { traceId, correctedAnswer: 'We wrote to ann@example.com.' } });
    await eventually(
      'the call is in the store',
      () => plimsoll.api<TraceDetail>(`/api/v1/traces/${traceId}`).catch(() => null),
      (detail) => detail?.spans.some(({ isEntry, input }) => isEntry && input !== null) === true,
    );
    await eventually(
      'the feedback is',
      () => plimsoll.api<{ drafts: { draft: { expected?: { answer: string | null } } }[] }>(`/api/v1/case-drafts?traceId=${traceId}`),
      ({ drafts }) => drafts[0]?.draft.expected?.answer === 'We wrote to [EMAIL_1].',
    );
    const unasked = await run('add', 'support', '--trace', traceId);
    assert.match(unasked.stderr, /redacted: 1 EMAIL/, 'it is shown before anything is saved');
    assert.notEqual(unasked.exitCode, 0, 'nobody was there to say yes');
    assert.match(await done('add', 'support', '--trace', traceId, '--tag', 'parcel', '--yes'), /support@1: 1 added/);
    assert.match(await done('add', 'support', '--filter', 'feature=support', '--tag', 'parcel', '--yes'), /holds all of it already/);
  });

  it('goes to a file and back, and overwrites nobody', async () => {
    assert.match(await done('pull', 'support'), /support@1, 1 case/);
    const text = readFileSync(file(), 'utf8');
    assert.match(text, /I am \[EMAIL_1\]: where is my parcel\?/);
    assert.match(text, /cluster: session:talk/);
    writeFileSync(file(), text.replace('where is my parcel', 'where is my lamp'));
    const difference = await run('diff', file());
    assert.deepEqual([difference.exitCode, /~ .*where is my lamp\? {2}\(input\)/.test(difference.stdout)], [2, true], difference.stdout);
    const pull = await run('pull', 'support');
    assert.match(pull.stderr, /holds changes that were not pushed/);
    assert.match(await done('push', file(), '--message', 'A lamp'), /support@2: 0 added, 1 changed/);
    assert.equal(readFileSync(file(), 'utf8'), text.replace('where is my parcel', 'where is my lamp').replace('version: 1', 'version: 2'));
    const colleague = join(project, 'colleague.yaml');
    writeFileSync(colleague, text.replace('where is my parcel', 'where is my rope'));
    const push = await run('push', colleague);
    assert.match(push.stderr, /support is at version 2, and this change was made on version 1/);
    assert.equal((await run('diff', 'support@1', 'support@2')).exitCode, 2);
  });

  it('seals the holdout, counts its openings and says so in the event log', async () => {
    const lines = Array.from({ length: 40 }, (_, index) =>
      JSON.stringify({ input: { variables: { question: `${(index * 7919 + 13) ** 5} is which number?` } } }),
    );
    writeFileSync(join(project, 'many.jsonl'), `${lines.join('\n')}\n${lines[0]}\n`);
    assert.match(
      await done('push', join(project, 'many.jsonl'), '--to', 'numbers'),
      /40 added.*\nTwice: .*line 41 is the same case as .*line 1/s,
    );
    const { parts } = (await run('split', 'numbers', '--holdout', '0.4', '--json')).json<{ parts: { train: number; holdout: number } }>();
    assert.equal(parts.train + parts.holdout, 40);
    assert.ok(parts.holdout > 0);
    assert.equal((await done('export', 'numbers', '--format', 'jsonl')).trim().split('\n').length, parts.train);
    const opened = await run('export', 'numbers', '--format', 'jsonl', '--open-holdout', 'release 4');
    assert.equal(opened.stdout.trim().split('\n').length, parts.holdout);
    assert.match(opened.stderr, /opening 1/);
    const detail = await plimsoll.api<{ holdoutOpenings: number; openings: { reason: string }[] }>('/api/v1/datasets/numbers');
    assert.deepEqual([detail.holdoutOpenings, detail.openings[0]?.reason], [1, 'release 4']);
    const { events } = await plimsoll.api<{ events: { message: string }[] }>('/api/v1/events?name=dataset.holdout_opened');
    assert.match(events[0]?.message ?? '', /release 4/);
  });
});
