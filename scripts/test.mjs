// npm test: everything that can run on this machine, in parallel; says what was skipped and how to enable it.
// Arguments narrow it down: folders below test/ (e2e, fault, contract), "unit", or paths of test files.
import { spawn } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';

const wanted = process.argv.slice(2);
const GROUPS = {
  unit: ['src/**/*.test.ts', 'web/src/**/*.test.ts', 'sdk/src/**/*.test.ts'],
  contract: ['test/contract/**/*.test.ts'],
  e2e: ['test/e2e/**/*.test.ts'],
  fault: ['test/fault/**/*.test.ts'],
};
const patterns = (wanted.length > 0 ? wanted : Object.keys(GROUPS)).flatMap((word) => GROUPS[word] ?? [word]);
const files = [...new Set(patterns.flatMap((pattern) => globSync(pattern)))].sort();
if (files.length === 0) {
  console.error(`No test file matches ${patterns.join(' ')}`);
  process.exit(1);
}
const browser =
  process.env.PLIMSOLL_CHROMIUM ??
  ['/usr/bin/chromium', '/usr/bin/google-chrome', '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'].find((path) =>
    existsSync(path),
  );
if (browser) process.env.PLIMSOLL_CHROMIUM = browser;
const missing = [
  process.env.TEST_POSTGRES_URL
    ? null
    : ['control store on PostgreSQL', 'set TEST_POSTGRES_URL=postgres://user@host:5432/database (PostgreSQL 15 or newer)'],
  process.env.TEST_CLICKHOUSE_URL
    ? null
    : ['trace store on a ClickHouse server', 'set TEST_CLICKHOUSE_URL=http://user:password@host:8123 (the same suite always runs on chDB)'],
  browser ? null : ['dashboard in a browser', 'install Chromium, or set PLIMSOLL_CHROMIUM to its path'],
].filter((entry) => entry !== null);
const started = Date.now();
// Faults kill processes and measure how soon they are back, the browser measures how soon a trace is seen: these run alone, after everything else.
const isFault = (file) => /(^|\/)test\/(fault\/|e2e\/dashboard\.)/.test(file);
const phases = [
  { files: files.filter((file) => !isFault(file)), concurrency: 4 },
  { files: files.filter(isFault), concurrency: 1 },
].filter((phase) => phase.files.length > 0);
const totals = { tests: 0, pass: 0, fail: 0, skipped: 0 };
let exitCode = 0;
for (const phase of phases) exitCode = (await runPhase(phase)) || exitCode;
for (const [suite, how] of missing) console.log(`skipped: ${suite}; to run it: ${how}`);
console.log(`${files.length} test files in ${((Date.now() - started) / 1000).toFixed(0)} s`);
console.log(`${totals.pass} passed, ${totals.fail} failed, ${totals.skipped} skipped`);
process.exit(exitCode || (totals.pass === 0 ? 1 : 0));

/** @returns the runner's exit code; adds its closing counts to the totals */
function runPhase({ files: phaseFiles, concurrency }) {
  return new Promise((resolve) => {
    const child = spawn(
      process.execPath,
      ['--test', '--test-reporter=spec', `--test-concurrency=${concurrency}`, '--test-timeout=900000', ...phaseFiles],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    let tail = '';
    child.stdout.on('data', (bytes) => {
      process.stdout.write(bytes);
      tail = `${tail}${bytes}`.slice(-4_000_000);
    });
    child.on('close', (code, signal) => {
      for (const name of Object.keys(totals))
        totals[name] += Number([...tail.matchAll(new RegExp(`^ℹ ${name} (\\d+)$`, 'gm'))].at(-1)?.[1] ?? 0);
      resolve(signal ? 1 : (code ?? 1));
    });
  });
}
