import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { repinModel, unifiedDiff } from './migration.ts';

const BLOCK = `version: 1
# the models
models:
  large:
    provider: openai # ours
    model: gpt-4o-2024-08-06
    retiresAt: 2026-12-01   # announced
    successor: next
  small: { provider: openai, model: gpt-4o-mini }
  next: { retiresAt: 2030-01-01, provider: openai, model: "gpt-5", deprecatedAt: 2029-01-01 }
routes: {}
`;

describe('model migration', () => {
  it('replaces the two values and drops what was said of the old pin; every other byte stays', () => {
    assert.equal(
      repinModel(BLOCK, 'large', { provider: 'azure', model: 'gpt-5-2026-01-01' }),
      BLOCK.replace('provider: openai # ours', 'provider: azure # ours')
        .replace('gpt-4o-2024-08-06', 'gpt-5-2026-01-01')
        .replace('    retiresAt: 2026-12-01   # announced\n    successor: next\n', ''),
    );
    assert.equal(
      repinModel(BLOCK, 'next', { provider: 'openai', model: 'a:b' }),
      BLOCK.replace(
        '{ retiresAt: 2030-01-01, provider: openai, model: "gpt-5", deprecatedAt: 2029-01-01 }',
        '{ provider: openai, model: "a:b" }',
      ),
    );
    assert.deepEqual(parse(repinModel(BLOCK, 'small', { provider: 'openai', model: 'true' })).models.small, {
      provider: 'openai',
      model: 'true',
    });
    assert.throws(() => repinModel(BLOCK, 'other', { provider: 'a', model: 'b' }), /models\.other/);
  });

  it('gives a diff that applies to exactly that text', () => {
    const directory = mkdtempSync(join(tmpdir(), 'plimsoll-migrate-'));
    try {
      const file = join(directory, 'plimsoll.yaml');
      for (const text of [BLOCK, BLOCK.trimEnd(), BLOCK.slice(BLOCK.indexOf('models:'))]) {
        for (const alias of ['large', 'small', 'next']) {
          const wanted = repinModel(text, alias, { provider: 'p', model: 'm-2' });
          const diff = unifiedDiff('plimsoll.yaml', text, wanted);
          // A last line without its end is beyond a plain diff; the change itself is never there.
          writeFileSync(file, text.endsWith('\n') ? text : `${text}\n`);
          const applied = spawnSync('git', ['apply', '-p0'], { cwd: directory, input: diff, encoding: 'utf8' });
          assert.equal(applied.status, 0, `${applied.stdout}${applied.stderr}\n${diff}`);
          assert.equal(readFileSync(file, 'utf8'), wanted.endsWith('\n') ? wanted : `${wanted}\n`);
        }
      }
      assert.equal(unifiedDiff('x', BLOCK, BLOCK), '');
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
