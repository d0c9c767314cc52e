// npm test: everything that can run on this machine, in parallel; says what was skipped and how to enable it.
// Arguments narrow it down: folders below test/ (e2e, fault, contract), "unit", or paths of test files.
import { spawn } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';

const wanted = process.argv.slice(2);
const GROUPS = { unit: ['src/**/*.test.ts', 'web/src/**/*.test.ts'], contract: ['test/contract/**/*.test.ts'], e2e: ['test/e2e/**/*.test.ts'], fault: ['test/fault/**/*.test.ts'] };
const patterns = (wanted.length > 0 ? wanted : Object.keys(GROUPS)).flatMap((word) => GROUPS[word] ?? [word]);
const files = [...new Set(patterns.flatMap((pattern) => globSync(pattern)))].sort();
if (files.length === 0) {
  console.error(`No test file matches ${patterns.join(' ')}`);
  process.exit(1);
}
const browser = process.env.PLIMSOLL_CHROMIUM ?? ['/usr/bin/chromium', '/usr/bin/google-chrome', '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'].find((path) => existsSync(path));
if (browser) process.env.PLIMSOLL_CHROMIUM = browser;
const missing = [
  process.env.TEST_POSTGRES_URL ? null : ['control store on PostgreSQL', 'set TEST_POSTGRES_URL=postgres://user@host:5432/database (PostgreSQL 15 or newer)'],
  process.env.TEST_CLICKHOUSE_URL ? null : ['trace store on a ClickHouse server', 'set TEST_CLICKHOUSE_URL=http://user:password@host:8123 (the same suite always runs on chDB)'],
  browser ? null : ['dashboard in a browser', 'install Chromium, or set PLIMSOLL_CHROMIUM to its path'],
].filter((entry) => entry !== null);
const started = Date.now();
const child = spawn(process.execPath, ['--test', '--test-concurrency=4', '--test-timeout=300000', ...files], { stdio: 'inherit' });
child.on('exit', (code, signal) => {
  for (const [suite, how] of missing) console.log(`skipped: ${suite}; to run it: ${how}`);
  console.log(`${files.length} test files in ${((Date.now() - started) / 1000).toFixed(0)} s`);
  process.exit(signal ? 1 : (code ?? 1));
});
