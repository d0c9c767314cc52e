import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { systemClock } from '../../kernel/clock.ts';
import { PlimsollError } from '../../kernel/errors.ts';
import { readPrompt } from '../promptfoo/prompt-template.ts';
import { failed, type Score, unmeasured, verdict } from '../score.ts';
import type { Suite, SuiteAssertion, SuiteCase } from '../suite.ts';
import { AdaptiveConcurrency } from './adaptive-concurrency.ts';
import type { ModelAnswer, ModelCaller } from './gateway-caller.ts';
import { parseRow, type ResultRow, rowLine } from './result-row.ts';
import { RunDirectory, type RunHeader } from './run-directory.ts';
import { countItems, planHash, runItems } from './run-plan.ts';
import { type RunSettings, SuiteRun } from './run-suite.ts';
import { type ScoreAssertion, scoreCase, type TransformOutput } from './score-case.ts';

const root = mkdtempSync(join(tmpdir(), 'plimsoll-runs-'));
after(() => rmSync(root, { recursive: true }));

const assertion = (type: string, more: Partial<SuiteAssertion> = {}): SuiteAssertion => ({
  kind: 'assertion',
  type,
  options: {},
  weight: 1,
  metric: null,
  judge: null,
  transform: null,
  place: 's.yaml:1:1',
  ...more,
});

const caseOf = (index: number, more: Partial<SuiteCase> = {}): SuiteCase => ({
  id: `case-${index}`,
  description: null,
  variables: { x: `value ${index}` },
  prefix: '',
  suffix: '',
  assertions: [assertion('has', { options: { value: '{{ x }}' } })],
  threshold: null,
  transform: null,
  output: null,
  reference: null,
  contexts: null,
  slices: {},
  cluster: null,
  prompts: null,
  targets: null,
  place: 's.yaml:1:1',
  ...more,
});

const suiteOf = (cases: number, more: Partial<Suite> = {}): Suite => ({
  name: 's',
  feature: null,
  prompts: [readPrompt('Say {{ x }}', 'p', 'p')],
  targets: [{ label: 't', model: 'm', parameters: {}, prompts: null }],
  cases: Array.from({ length: cases }, (_, index) => caseOf(index)),
  repeats: 1,
  concurrency: null,
  delayMs: 0,
  judge: null,
  ...more,
});

/** Two tiny scorers: `has` and one that says what its option says. */
const score: ScoreAssertion = async (type, options, subject) =>
  type === 'has'
    ? verdict(subject.output.includes(String(options.value)), 'has')
    : ((options.score as unknown as Score) ?? unmeasured('nothing'));

/** `upper`, or an error. */
const transform: TransformOutput = async (code, output) => {
  if (code !== 'upper') throw new PlimsollError('invalid_argument', `The transform threw: ${code}`);
  return output.toUpperCase();
};

const COST = 1_000_000n;
const answerOf = (content: string): ModelAnswer => ({
  answer: { choices: [{ message: { content } }] },
  latencyMs: 1,
  costPicoUsd: COST,
  traceId: null,
  model: 'm',
  isCached: false,
  isReplayed: false,
});

/** Answers with the prompt, and keeps what was asked. */
function scripted(answer: (text: string, key: string) => ModelAnswer | Promise<ModelAnswer> = (text) => answerOf(text)) {
  const keys: string[] = [];
  const caller: ModelCaller = {
    async chat(body, key) {
      keys.push(key);
      await new Promise((resolve) => setImmediate(resolve));
      return answer(JSON.stringify(body.messages), key);
    },
    post: () => Promise.reject(new PlimsollError('not_found', 'nothing is there')),
  };
  return { caller, keys };
}

function settingsOf(suite: Suite, caller: ModelCaller, rows: ResultRow[], more: Partial<RunSettings> = {}): RunSettings {
  const total = countItems(suite);
  return {
    id: 'run',
    suite,
    total,
    finished: { items: new Uint8Array(total), progress: { done: 0, passed: 0, failed: 0, errors: 0, spentPicoUsd: 0n, judgePicoUsd: 0n } },
    caller,
    score,
    transform,
    embedder: null,
    writer: {
      append(row) {
        rows.push(row);
        return null;
      },
    },
    clock: { ...systemClock, sleep: () => Promise.resolve() },
    random: () => 0,
    signal: new AbortController().signal,
    maxCostPicoUsd: null,
    callPicoUsd: COST,
    usesCache: false,
    attempts: 3,
    report: () => {},
    ...more,
  };
}

describe('SuiteRun', () => {
  it('runs the matrix, each item once, with a key of its own', async () => {
    const suite = suiteOf(5, {
      repeats: 2,
      targets: [
        { label: 't', model: 'm', parameters: {}, prompts: null },
        { label: 'e', model: null, parameters: {}, prompts: null },
      ],
    });
    const { caller, keys } = scripted();
    const rows: ResultRow[] = [];
    const { stopped, progress } = await new SuiteRun(settingsOf(suite, caller, rows)).run();
    assert.equal(stopped, null);
    assert.deepEqual([progress.done, progress.passed, progress.spentPicoUsd], [20, 20, 10n * COST]);
    assert.equal(new Set(keys).size, 10);
    assert.deepEqual(
      rows.map(({ n }) => n).sort((a, b) => a - b),
      [...Array(20).keys()],
    );
  });

  it('retries errors that may pass, and nothing else', async () => {
    let calls = 0;
    const { caller } = scripted((text) => {
      calls++;
      if (calls % 2 === 1) throw new PlimsollError('provider_timeout', 'slow');
      return answerOf(text);
    });
    const rows: ResultRow[] = [];
    await new SuiteRun(settingsOf(suiteOf(3, { concurrency: 1 }), caller, rows)).run();
    assert.deepEqual(
      rows.map(({ state, attempts }) => [state, attempts]),
      [
        ['passed', 2],
        ['passed', 2],
        ['passed', 2],
      ],
    );
    const rejected: ResultRow[] = [];
    const other = scripted(() => {
      throw new PlimsollError('provider_rejected', 'no');
    });
    await new SuiteRun(settingsOf(suiteOf(2), other.caller, rejected)).run();
    assert.deepEqual(
      rejected.map(({ state, score: value, error }) => [state, value, error?.code]),
      [
        ['error', null, 'provider_rejected'],
        ['error', null, 'provider_rejected'],
      ],
    );
    assert.equal(other.keys.length, 2);
  });

  it('scores what transforms make of an answer; what they throw is an error, and what was paid stays counted', async () => {
    const cases = [
      caseOf(0, { transform: 'upper', assertions: [assertion('has', { options: { value: 'VALUE' } })] }),
      caseOf(1, {
        assertions: [
          assertion('has', { options: { value: 'VALUE' }, transform: 'upper' }),
          assertion('has', { options: { value: 'value' } }),
        ],
      }),
      caseOf(2, { transform: 'boom' }),
      caseOf(3, { assertions: [assertion('has', { transform: 'boom' })] }),
    ];
    const rows: ResultRow[] = [];
    const { progress } = await new SuiteRun(settingsOf(suiteOf(0, { cases, concurrency: 1 }), scripted().caller, rows)).run();
    assert.deepEqual(
      rows.map(({ state, costPicoUsd }) => [state, costPicoUsd]),
      [
        ['passed', `${COST}`],
        ['passed', `${COST}`],
        ['error', `${COST}`],
        ['error', `${COST}`],
      ],
    );
    assert.equal(progress.spentPicoUsd, 4n * COST);
  });

  it('never passes its ceiling', async () => {
    for (const calls of [0, 1, 7, 40]) {
      const { caller, keys } = scripted();
      const ended = await new SuiteRun(settingsOf(suiteOf(60), caller, [], { maxCostPicoUsd: BigInt(calls) * COST })).run();
      assert.equal(ended.stopped?.code, 'cost');
      assert.equal(keys.length, calls);
      assert.equal(ended.progress.spentPicoUsd, BigInt(calls) * COST);
    }
  });

  it('ends at once when no call can be made any more, and keeps what was answered', async () => {
    const { caller, keys } = scripted((text, key) => {
      if (Number(key.split('-').at(-1)) >= 10) throw new PlimsollError('budget_exceeded', 'the budget of feature s is used up');
      return answerOf(text);
    });
    const rows: ResultRow[] = [];
    const { stopped } = await new SuiteRun(settingsOf(suiteOf(500), caller, rows)).run();
    assert.equal(stopped?.code, 'budget_exceeded');
    assert.ok(keys.length < 60);
    assert.ok(rows.every(({ state }) => state === 'passed') && rows.length === 10);
  });

  it('stops when told to, and goes on where it stopped', async () => {
    const suite = suiteOf(200);
    const stop = new AbortController();
    const rows: ResultRow[] = [];
    const first = scripted((text) => {
      if (rows.length >= 50) stop.abort();
      return answerOf(text);
    });
    const ended = await new SuiteRun(settingsOf(suite, first.caller, rows, { signal: stop.signal })).run();
    assert.equal(ended.stopped?.code, 'interrupted');
    assert.ok(rows.length < 150);
    const items = new Uint8Array(200);
    for (const { n } of rows) items[n] = 1;
    const second = scripted();
    const { done, passed, failed: wrong, errors, spentPicoUsd, judgePicoUsd } = ended.progress;
    const next = await new SuiteRun(
      settingsOf(suite, second.caller, rows, {
        finished: { items, progress: { done, passed, failed: wrong, errors, spentPicoUsd, judgePicoUsd } },
      }),
    ).run();
    assert.equal(next.stopped, null);
    assert.equal(rows.length, 200);
    assert.equal(new Set([...first.keys, ...second.keys]).size, 200);
    assert.equal(first.keys.length + second.keys.length, 200);
    assert.equal(next.progress.spentPicoUsd, 200n * COST);
  });
});

describe('scoreCase', () => {
  const says = (given: Score, more: Partial<SuiteAssertion> = {}): SuiteAssertion =>
    assertion('says', { options: { score: given as never }, ...more });
  const yes = verdict(true, 'yes');
  const no = verdict(false, 'no');
  const run = async (assertions: SuiteCase['assertions'], threshold: number | null = null) =>
    scoreCase({ assertions, threshold, variables: {} }, { output: '' } as never, () => ({}) as never, score, transform);

  it('knows four states', async () => {
    const rows: [SuiteCase['assertions'], number | null, string, number | null][] = [
      [[], null, 'passed', 1],
      [[says(yes), says(no)], null, 'failed', 0.5],
      [[says(yes), says(no)], 0.5, 'passed', 0.5],
      [[says(yes), says(no, { weight: 3 })], 0.5, 'failed', 0.25],
      [[says(yes), says(no, { weight: 0 })], null, 'passed', 1],
      [[says(yes), says(failed('garbage'))], null, 'error', 1],
      [[says(no), says(failed('garbage'))], null, 'failed', 0],
      [[says(yes), says(failed('garbage'))], 0.5, 'error', 1],
      [[says(yes), says(unmeasured('no claims'))], null, 'passed', 1],
      [[says(unmeasured('no claims'))], null, 'unmeasured', null],
    ];
    for (const [assertions, threshold, state, mean] of rows) {
      const given = await run(assertions, threshold);
      assert.deepEqual([given.state, given.score], [state, mean]);
    }
  });

  it('adds up sets and named metrics', async () => {
    const set = {
      kind: 'set' as const,
      assertions: [says(yes, { metric: 'm' }), says(no, { metric: 'm' })],
      weight: 2,
      metric: 'set',
      threshold: 0.5,
      place: '',
    };
    const given = await run([set, says(yes, { metric: 'x' }), says(failed('g'), { metric: 'x', weight: 0 })]);
    assert.deepEqual(given.metrics, { m: 0.5, set: 0.5, x: null });
    assert.equal(given.state, 'passed');
    assert.equal((await run([{ ...set, threshold: null }])).state, 'failed');
  });
});

describe('AdaptiveConcurrency', () => {
  it('adds one a round, halves once per refusal, never below 1', () => {
    const limiter = new AdaptiveConcurrency(64, 4);
    for (let call = 0; call < 4; call++) limiter.succeeded(10);
    assert.equal(limiter.limit, 5);
    limiter.refused(0, 100);
    limiter.refused(50, 110);
    assert.equal(limiter.limit, 2);
    for (let at = 200; at < 300; at += 10) limiter.refused(at, at);
    assert.equal(limiter.limit, 1);
  });

  it('does not grow while answers get slower', () => {
    const limiter = new AdaptiveConcurrency(64, 4);
    for (let call = 0; call < 100; call++) limiter.succeeded(100);
    const before = limiter.limit;
    for (let call = 0; call < 500; call++) limiter.succeeded(1_000);
    const slow = limiter.limit;
    for (let call = 0; call < 500; call++) limiter.succeeded(1_000);
    assert.ok(slow <= before + 2);
    assert.equal(limiter.limit, slow);
  });
});

const ROW: ResultRow = {
  n: 0,
  case: 'c',
  prompt: 0,
  target: 0,
  repeat: 0,
  state: 'passed',
  score: 1,
  output: 'ü"\n',
  assertions: [],
  latencyMs: 1,
  costPicoUsd: '1',
};
const HEADER = { version: 1, id: 'r1', planHash: 'x' } as unknown as RunHeader; // only what is read here

describe('RunDirectory', () => {
  it('gives back what was written, and nothing that was torn or changed', async () => {
    const directory = new RunDirectory(root, 'torn');
    directory.create(HEADER);
    const writer = await directory.writer();
    for (let n = 0; n < 500; n++) void writer.append({ ...ROW, n });
    await writer.close();
    const whole = readFileSync(directory.results);
    for (const cut of [1, 5, 40, 100]) {
      writeFileSync(directory.results, whole.subarray(0, whole.length - cut));
      const rows = await Array.fromAsync(directory.rows());
      assert.equal(rows.length, 499);
    }
    await directory.repair();
    appendFileSync(directory.results, rowLine({ ...ROW, n: 499 }));
    const text = readFileSync(directory.results, 'utf8').replace('"n":7,', '"n":8,');
    writeFileSync(directory.results, text);
    const numbers = (await Array.fromAsync(directory.rows())).map(({ n }) => n);
    assert.deepEqual(
      numbers,
      [...Array(500).keys()].filter((n) => n !== 7),
    );
  });

  it('keeps a trivial row below 1.2 KB', () => {
    assert.ok(rowLine({ ...ROW, traceId: 'a'.repeat(32), model: 'm' }).length < 600);
    assert.deepEqual(parseRow(rowLine(ROW).trimEnd()), ROW);
  });

  it('appends in batches', async () => {
    const directory = new RunDirectory(root, 'batch');
    directory.create(HEADER);
    const writer = await directory.writer();
    for (let n = 0; n < 64; n++) void writer.append({ ...ROW, n });
    await writer.flush();
    assert.ok(statSync(directory.results).size > 64 * 100);
    await writer.close();
  });

  it('takes no id that leaves its folder', () => {
    for (const id of ['../x', '', 'a/b', '.', '..']) assert.throws(() => new RunDirectory(root, id), /is not the id of a run/);
  });
});

describe('plan', () => {
  it('has another hash for other prompts, cases and assertions, not for other places', () => {
    const suite = suiteOf(3);
    const hash = planHash(suite);
    assert.equal(planHash({ ...suite, cases: suite.cases.map((entry) => ({ ...entry, place: 'elsewhere' })) }), hash);
    assert.notEqual(planHash({ ...suite, prompts: [readPrompt('Tell {{ x }}', 'p', 'p')] }), hash);
    assert.notEqual(planHash({ ...suite, cases: suite.cases.map((entry) => ({ ...entry, assertions: [assertion('other')] })) }), hash);
  });

  it('leaves out what cases and targets do not want', () => {
    const suite = suiteOf(2, { cases: [caseOf(0, { targets: ['t*'] }), caseOf(1, { prompts: ['other'] })] });
    assert.deepEqual(
      [...runItems(suite)].map(({ case: { id } }) => id),
      ['case-0'],
    );
  });
});
