import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { eventually, type Plimsoll, startPlimsoll } from '../harness/plimsoll.ts';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');
const blocks = (language: string) =>
  [...README.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map((match) => match[1] ?? '');

describe('README', () => {
  let plimsoll: Plimsoll;
  let directory: string;
  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'plimsoll-readme-'));
    plimsoll = await startPlimsoll();
  });
  after(async () => {
    await plimsoll.stop();
    rmSync(directory, { recursive: true });
  });
  /** The README's text with this test's address instead of the default one. */
  const here = (text: string) => text.replaceAll('http://127.0.0.1:4000', plimsoll.url);
  const variables = () => ({ ...process.env, PLIMSOLL_KEY: plimsoll.virtualKey });

  it('its first curl answers', async () => {
    const curl = blocks('sh').find((block) => block.startsWith('curl')) ?? '';
    assert.match(curl, /chat\/completions/);
    const { stdout } = await run('bash', ['-c', `${here(curl).trim()} --silent --show-error --fail`], { env: variables() });
    const answer = JSON.parse(stdout) as { choices: { message: { content: string } }[] };
    assert.ok((answer.choices[0]?.message.content.length ?? 0) > 10);
  });

  it('its JavaScript runs as it stands, and the call has the names that it sends', async () => {
    const code = blocks('js')[0] ?? '';
    // Inside the tree, so that "openai" resolves as it does in a project of its own.
    const file = join(ROOT, 'node_modules', '.cache', `readme-${process.pid}.mjs`);
    writeFileSync(file, here(code));
    try {
      const { stdout } = await run(process.execPath, [file], { env: variables() });
      assert.ok(stdout.trim().length > 10);
    } finally {
      rmSync(file);
    }
    const page = await eventually(
      'the trace',
      () => plimsoll.api<{ traces: { user: string; tags: Record<string, string> }[] }>('/api/v1/traces?session=s-1'),
      ({ traces }) => traces.length === 1,
    );
    assert.equal(page.traces[0]?.user, 'u-1');
  });

  it('its configuration is right, and so is the one that ships', async () => {
    const file = join(directory, 'plimsoll.yaml');
    writeFileSync(file, blocks('yaml')[0] ?? '');
    for (const path of [file, join(ROOT, 'plimsoll.yaml')])
      await run(process.execPath, [join(ROOT, 'bin', 'plimsoll.mjs'), 'config', 'check', path, '--offline']);
  });

  it('every file that the documents link to exists', () => {
    for (const name of [
      'README.md',
      'ARCHITECTURE.md',
      'CONTRIBUTING.md',
      'SECURITY.md',
      'CHANGELOG.md',
      'docs/operations.md',
      'docs/benchmarks.md',
    ]) {
      const text = readFileSync(join(ROOT, name), 'utf8');
      for (const [, target = ''] of text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g))
        assert.ok(existsSync(join(ROOT, dirname(name), target)), `${name} links to ${target}`);
    }
  });
});
