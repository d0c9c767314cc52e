import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { z } from 'zod';
import { PlimsollError } from '../errors.ts';
import { type ConfigIssue, configSchema, parseConfig } from './load.ts';
import { secretText } from './secret.ts';

const SCHEMA = configSchema([
  {
    key: 'providers',
    schema: z
      .record(
        z.string(),
        z.strictObject({
          kind: z.enum(['openai', 'sim']),
          apiKey: secretText('Key').optional(),
          timeouts: z.strictObject({ connectMs: z.int().default(5) }).optional(),
        }),
      )
      .default({}),
  },
  { key: 'keys', schema: z.array(z.strictObject({ name: z.string(), key: secretText('Key') })).optional() },
]);

function issuesOf(text: string, environment: Record<string, string> | null = null): ConfigIssue[] {
  try {
    parseConfig(text, 'plimsoll.yaml', SCHEMA, environment);
  } catch (error) {
    assert.ok(error instanceof PlimsollError && error.code === 'config_invalid');
    return error.details.issues as ConfigIssue[];
  }
  return [];
}

describe('parseConfig', () => {
  it('fills defaults and keeps secrets as references', () => {
    const config = parseConfig('version: 1\nproviders: { a: { kind: openai, apiKey: "${A_KEY}" } }', 'x', SCHEMA, { A_KEY: 'secret' });
    assert.deepEqual(config, { version: 1, providers: { a: { kind: 'openai', apiKey: '${A_KEY}' } } });
  });

  it('names line, column and the nearest key of a misspelt one', () => {
    const [issue] = issuesOf('version: 1\nproviders:\n  a:\n    kind: openai\n    timeouts:\n      conectMs: 3\n');
    assert.deepEqual(issue, {
      line: 6,
      column: 7,
      path: 'providers.a.timeouts.conectMs',
      message: 'unknown key; did you mean "connectMs"?',
    });
  });

  it('lists the known keys when none is close', () => {
    const [issue] = issuesOf('version: 1\nwhatever: 3\n');
    assert.equal(issue?.line, 2);
    assert.match(issue?.message ?? '', /known keys: version, providers, keys/);
  });

  it('names the place of a wrong value and of a missing one', () => {
    const issues = issuesOf('version: 2\nproviders: { a: { kind: opanai } }\nkeys: [ { name: x } ]');
    assert.deepEqual(
      issues.map((issue) => [issue.line, issue.path]),
      [
        [1, 'version'],
        [2, 'providers.a.kind'],
        [3, 'keys[0].key'],
      ],
    );
  });

  it('refuses ${…} outside secrets, half references and unset variables, with their lines', () => {
    const issues = issuesOf(
      'version: 1\nproviders:\n  a: { kind: openai, apiKey: "${UNSET}" }\n  b: { kind: "${KIND}" }\nkeys:\n  - { name: x, key: "plk_${PART}" }\n',
      {},
    );
    assert.deepEqual(
      issues.map((issue) => issue.line).filter((line, index, all) => all.indexOf(line) === index),
      [3, 4, 6],
    );
    assert.match(issues[0]?.message ?? '', /UNSET is not set/);
  });

  it('reports syntax errors, duplicate keys and alias bombs by place, never as a crash', () => {
    assert.equal(issuesOf('version: 1\nproviders: {\n')[0]?.line, 3);
    assert.equal(issuesOf('version: 1\nversion: 1\n')[0]?.line, 2);
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefg'.replaceAll(
      /./g,
      (letter) =>
        `${letter}: &${letter} [${Array(9)
          .fill(`*${String.fromCharCode(letter.charCodeAt(0) - 1)}`)
          .join(',')}]\n`,
    )}`;
    assert.ok(issuesOf(`version: 1\n${bomb}`).length > 0);
    assert.ok(issuesOf('- 1').length > 0);
    assert.ok(issuesOf('').length > 0);
  });

  it('treats __proto__ as an unknown key', () => {
    assert.ok(issuesOf('version: 1\n__proto__: { x: 1 }').length > 0);
    assert.equal(({} as Record<string, unknown>).x, undefined);
  });
});
