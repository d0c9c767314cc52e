// npm run check: format and lint, types, room order, dead code, generated files. Runs all, reports all, fails once.
import { spawnSync } from 'node:child_process';

const STEPS = [
  ['format and lint', 'biome', ['check', '--error-on-warnings', '.']],
  ['types', 'tsc', ['-p', 'tsconfig.json']],
  ['types (sdk)', 'tsc', ['-p', 'sdk/tsconfig.json', '--noEmit']],
  ['types (web)', 'tsc', ['-p', 'web/tsconfig.json', '--noEmit']],
  ['room order and cycles', 'depcruise', ['--config', '.dependency-cruiser.cjs', '--output-type', 'err-long', 'src']],
  ['dead code', 'knip', ['--no-progress']],
  ['generated files', 'node', ['scripts/gen.mjs', '--check']],
  ['bundle size', 'node', ['web/scripts/check-bundle.mjs']],
];
const failed = [];
for (const [name, command, args] of STEPS) {
  const started = Date.now();
  const result = spawnSync(command, args, {
    encoding: 'utf8',
    env: { ...process.env, PATH: `${process.cwd()}/node_modules/.bin:${process.env.PATH}` },
    maxBuffer: 64 * 1024 * 1024,
  });
  const isOk = result.status === 0;
  console.log(`${isOk ? 'ok  ' : 'FAIL'} ${name} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
  if (!isOk) {
    failed.push(name);
    console.log(`${result.stdout ?? ''}${result.stderr ?? ''}${result.error ?? ''}`);
  }
}
if (failed.length > 0) {
  console.log(`\nFailed: ${failed.join(', ')}. "npm run fix" repairs format and simple lint; "npm run gen" renews generated files.`);
  process.exit(1);
}
