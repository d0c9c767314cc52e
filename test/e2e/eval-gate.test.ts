import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { GateReport } from '../../src/evals/gate/model.ts';
import type { RunSummary } from '../../src/evals/runner/summary.ts';
import { type Plimsoll, startPlimsoll } from '../harness/plimsoll.ts';
import { type CliResult, cli } from './cli-run.ts';

const BIN = fileURLToPath(new URL('../../bin/plimsoll.mjs', import.meta.url));
const KEY = 'eval-test-key-0123456789';
/** Of 240 customers of the support feature, 12 write French. */
const CASES = 240;
const FRENCH = 12;
const ORDER: Readonly<Record<string, string>> = { de: 'Ihre Bestellung', en: 'Your order', fr: 'Votre commande', es: 'Su pedido' };
const NOTE = 'Answer in the language of the customer.';
/** Reads well, and French answers lose the word that names the order. */
const HARMFUL = `${NOTE} Never use words that could be taken for English ones, such as command, commande, commander.`;

interface Provider {
  readonly port: number;
  /** Calls by the text that was asked. */
  readonly asked: Map<string, number>;
  /** Every so many-th call is refused as overloaded, every so many-th answered with garbage. */
  faultEvery: number;
  close(): Promise<void>;
}

/** A support model that does what its system message says. */
async function startSupportModel(): Promise<Provider> {
  const provider = { port: 0, asked: new Map<string, number>(), faultEvery: 0, close: () => Promise.resolve() };
  let calls = 0;
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
    request.on('end', () => {
      const { messages } = JSON.parse(text) as { messages: { role: string; content: string }[] };
      const [system = '', question = ''] = messages.map(({ content }) => content);
      calls++;
      if (provider.faultEvery > 0 && calls % provider.faultEvery === 0) {
        response.writeHead(503, { 'content-type': 'application/json' }).end('{"error":{"message":"overloaded"}}');
        return;
      }
      provider.asked.set(question, (provider.asked.get(question) ?? 0) + 1);
      const language = /^\[(\w\w)\]/.exec(question)?.[1] ?? 'en';
      const number = /#(\d+)/.exec(question)?.[1] ?? '';
      const subject = language === 'fr' && system.includes('commande,') ? 'Votre achat' : (ORDER[language] ?? '');
      // One in thirty is wrong whatever the prompt says: no model is perfect.
      const content = Number(number) % 30 === 7 ? 'I do not know.' : `${subject} ${number} ✓`;
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(
        JSON.stringify({
          id: 'c',
          object: 'chat.completion',
          created: 1,
          model: 'support-1',
          choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
          usage: { prompt_tokens: 100, completion_tokens: 10, total_tokens: 110 },
        }),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  provider.port = (server.address() as AddressInfo).port;
  provider.close = () =>
    new Promise((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
  return provider;
}

const configOf = (port: number): string => `version: 1
providers: { stub: { kind: openai-compatible, baseUrl: "http://127.0.0.1:${port}/v1" } }
models: { support-1: { provider: stub, model: support-1 } }
prices: { support-1: { inputPerMillionUsd: 1, outputPerMillionUsd: 2 } }
routes: { support: { targets: [support-1] } }
features: { customer-support: { owner: support-team, costOwner: a@example.com, route: support } }
keys: [ { name: evals, key: "\${EVAL_TEST_KEY}" } ]
`;
/** 100 × $1 + 10 × $2 per million. */
const CALL_PICO_USD = 120_000_000n;

const SUITE = `description: Support answers name the order
feature: customer-support
prompts: [ file://prompt.json ]
targets: [ support ]
cases: file://cases.csv
slices: [language]
metrics: { pass: { margin: 0.1 } }
`;

function writeCases(folder: string, count: number): void {
  const rows = Array.from({ length: count }, (_, index) => {
    const language = index < FRENCH ? 'fr' : (['de', 'en', 'es'][index % 3] ?? 'en');
    return `${language},"[${language}] Where is #${index}?","contains: ${ORDER[language]}"`;
  });
  writeFileSync(join(folder, 'cases.csv'), `language,question,__expected\n${rows.join('\n')}\n`);
}

function writePrompt(folder: string, system: string): void {
  const messages = [
    { role: 'system', content: system },
    { role: 'user', content: '{{ question }}' },
  ];
  writeFileSync(join(folder, 'prompt.json'), JSON.stringify(messages));
}

describe('eval run and gate', { timeout: 900_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'plimsoll-eval-'));
  let provider: Provider;
  let plimsoll: Plimsoll;
  let baseline = '';
  const run = (...words: string[]): Promise<CliResult> => cli(words, { cwd: folder, variables: variables() });
  const variables = (): Record<string, string> => ({
    PLIMSOLL_URL: plimsoll.url,
    PLIMSOLL_ADMIN_KEY: '',
    PLIMSOLL_VIRTUAL_KEY: KEY,
    PLIMSOLL_DATA_DIR: join(folder, 'data'),
  });

  before(async () => {
    provider = await startSupportModel();
    plimsoll = await startPlimsoll({ config: configOf(provider.port), variables: { EVAL_TEST_KEY: KEY } });
    mkdirSync(join(folder, 'evals'));
    writeFileSync(join(folder, 'evals', 'support.yaml'), SUITE);
    writeCases(join(folder, 'evals'), CASES);
    writePrompt(join(folder, 'evals'), NOTE);
  });
  after(async () => {
    await plimsoll.stop();
    await provider.close();
    rmSync(folder, { recursive: true });
  });

  it('runs the suite through the gateway and counts what it cost', async () => {
    const result = await run('eval', 'run', 'support', '--json');
    assert.equal(result.exitCode, 2, result.stderr);
    const summary = result.json<RunSummary>();
    baseline = summary.id;
    assert.deepEqual([summary.state, summary.done], ['complete', CASES]);
    assert.deepEqual([summary.cells[0]?.passed, summary.cells[0]?.failed, summary.cells[0]?.errors], [CASES - 8, 8, 0]);
    assert.equal(summary.spentPicoUsd, `${BigInt(CASES) * CALL_PICO_USD}`);
  });

  it('a prompt that harms one language passes the mean, fails the slice, and exits 2', async () => {
    writePrompt(join(folder, 'evals'), HARMFUL);
    const reports = ['--junit', 'gate.xml', '--sarif', 'gate.sarif', '--markdown', 'gate.md'];
    const result = await run('gate', 'support', '--baseline', baseline, '--json', ...reports);
    assert.equal(result.exitCode, 2, result.stderr);
    const report = result.json<GateReport & { candidate: string }>();
    assert.equal(report.verdict, 'regressed');
    const [mean] = report.comparisons.filter(({ slice }) => slice === null);
    assert.equal(mean?.verdict, 'pass', 'the mean alone would have let it through');
    const regressed = report.comparisons.filter(({ verdict }) => verdict === 'regressed');
    assert.deepEqual(
      regressed.map(({ slice }) => slice),
      [{ name: 'language', value: 'fr' }],
    );
    const [junit, sarif, markdown] = ['gate.xml', 'gate.sarif', 'gate.md'].map((name) => readFileSync(join(folder, name), 'utf8'));
    assert.match(junit ?? '', /failures="1" errors="0"/);
    assert.match(junit ?? '', /name="pass, language fr"/);
    assert.equal((JSON.parse(sarif ?? '') as { runs: { results: { ruleId: string }[] }[] }).runs[0]?.results[0]?.ruleId, 'regressed');
    assert.match(markdown ?? '', /\| ✘ regressed \| pass, language fr \| 12 \|/);
    const again = await run('gate', 'support', '--baseline', baseline, '--candidate', report.candidate);
    assert.equal(again.exitCode, 2);
    assert.match(again.stdout, /Gate: REGRESSED/);
    assert.match(again.stderr, /with 240 cases a drop of [\d.]+ is found/);
    for (const line of again.stdout.split('\n')) assert.ok(line.length <= 80, line);
  });

  it('the same edit repaired passes, with exit 0', async () => {
    writePrompt(join(folder, 'evals'), `${NOTE} Be brief.`);
    const result = await run('gate', 'support', '--baseline', baseline);
    assert.equal(result.exitCode, 0, `${result.stdout}${result.stderr}`);
    assert.match(result.stdout, /Gate: PASS/);
  });

  it('says "not enough evidence", with exit 3, where the cases cannot show the margin', async () => {
    const result = await run('gate', 'support', '--baseline', baseline, '--margin', '0.005');
    assert.equal(result.exitCode, 3, result.stderr);
    assert.match(result.stdout, /the margin needs about \d+\s+cases/);
  });

  it('exits 1 when it cannot run', async () => {
    assert.equal((await run('gate', 'support', '--baseline', 'no-such-run')).exitCode, 1);
    assert.equal((await run('eval', 'run', 'no-such-suite')).exitCode, 1);
  });

  it('errors of the provider change no verdict', async () => {
    provider.faultEvery = 20;
    const result = await run('eval', 'run', 'support', '--json');
    provider.faultEvery = 0;
    const summary = result.json<RunSummary>();
    assert.deepEqual([summary.cells[0]?.passed, summary.cells[0]?.failed, summary.cells[0]?.errors], [CASES - 8, 8, 0]);
  });

  it('after kill -9 in the middle it goes on, loses at most one batch and pays for nothing twice', async () => {
    const cases = 3_000;
    writeCases(join(folder, 'evals'), cases);
    provider.asked.clear();
    const child = spawn(process.execPath, [BIN, 'eval', 'run', 'support', '--concurrency', '16'], {
      cwd: folder,
      env: { ...process.env, NODE_OPTIONS: '', ...variables() },
      stdio: 'ignore',
    });
    const ended = new Promise((resolve) => child.once('close', resolve));
    while (provider.asked.size < 1_000) await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill('SIGKILL');
    await ended;
    const answered = provider.asked.size;
    const id =
      readdirSync(join(folder, 'data', 'evals'))
        .sort()
        .at(-1) ?? '';
    const kept = readFileSync(join(folder, 'data', 'evals', id, 'results.jsonl'), 'utf8').split('\n').length - 1;
    assert.ok(answered < cases, 'it was killed in the middle');
    // A batch is 64 rows or 250 ms; beside it stand the calls in flight.
    assert.ok(answered - kept <= 1_000, `${answered} answered, ${kept} kept`);
    const result = await run('eval', 'run', 'support', '--resume', id, '--json');
    const summary = result.json<RunSummary>();
    assert.deepEqual([summary.state, summary.done], ['complete', cases]);
    assert.equal(provider.asked.size, cases);
    assert.deepEqual(
      [...provider.asked.values()].filter((count) => count > 1),
      [],
      'no question was asked twice',
    );
    assert.equal(summary.replayed, answered - kept);
  });
});
