import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { PlimsollError } from '../kernel/errors.ts';
import { readConfig } from './config.ts';
import { assertCompiles } from './config-compile-check.ts';

function configWith(
  providers: string,
  feature: string,
  models = 'first: { provider: one, model: a }, second: { provider: two, model: b }',
): string {
  return `version: 1
providers: { ${providers} }
models: { ${models} }
routes: { default: { targets: [first, second] } }
features:
  support:
    route: default
    ${feature}
`;
}

const ONE = (extra = '') => `one: { kind: openai-compatible, baseUrl: "http://127.0.0.1:1/v1"${extra} }`;
const TWO = (extra = '') => `two: { kind: openai-compatible, baseUrl: "http://127.0.0.1:2/v1"${extra} }`;

function refusalOf(text: string): string {
  let refusal = '';
  assert.throws(
    () => readConfig(text, 'plimsoll.yaml', null),
    (thrown: PlimsollError) => {
      refusal = thrown.message;
      return thrown.code === 'config_invalid';
    },
  );
  return refusal;
}

describe('configuration across sections', () => {
  it('refuses a feature whose route has no target that its residency allows, and says which and why', () => {
    const text = configWith(`${ONE(', region: us-east-1')}, ${TWO()}`, 'residency: { regions: [eu] }');
    const refusal = refusalOf(text);
    assert.match(refusal, /plimsoll\.yaml:8/);
    assert.match(refusal, /"default" has no target that it allows \(region eu\): first: in us-east-1; second: declares no region/);
    assert.match(refusalOf(configWith(`${ONE()}, ${TWO()}`, 'residency: { selfHosted: true }')), /first: not self-hosted/);
    assert.match(refusalOf(configWith(`${ONE()}, ${TWO()}`, 'residency: {}')), /demands nothing/);
  });

  it('takes a route of which one target is allowed, by its provider or by itself', () => {
    readConfig(configWith(`${ONE(', region: us')}, ${TWO(', region: eu-west-1')}`, 'residency: { regions: [eu] }'), 'x', null);
    const models = 'first: { provider: one, model: a, region: eu }, second: { provider: two, model: b }';
    readConfig(configWith(`${ONE(', region: us')}, ${TWO()}`, 'residency: { regions: [eu] }', models), 'x', null);
    const overridden = 'first: { provider: one, model: a, region: us }, second: { provider: two, model: b }';
    refusalOf(configWith(`${ONE(', region: eu')}, ${TWO()}`, 'residency: { regions: [eu] }', overridden));
  });

  it('refuses an output schema that cannot be checked, and reads one from a file beside it', () => {
    const directory = mkdtempSync(join(tmpdir(), 'plimsoll-config-'));
    try {
      const path = join(directory, 'plimsoll.yaml');
      const compile = (output: string): void => {
        const text = configWith(`${ONE()}, ${TWO()}`, `output: ${output}`);
        assertCompiles(readConfig(text, path, null), text, path, {});
      };
      compile('{ schema: { type: object, required: [city] }, onInvalid: repair }');
      compile('{ validate: true }');
      writeFileSync(join(directory, 'answer.json'), '{"type":"object"}');
      compile('{ schemaFile: answer.json }');
      for (const [output, message] of [
        ['{ onInvalid: reject }', /checks nothing/],
        ['{ schema: { type: object }, schemaFile: answer.json }', /not both/],
        ['{ schema: { pattern: "(?=a)" } }', /features\.support\.output: the schema is refused: .*look-around/],
        ['{ schema: { $ref: "https://example.com/x.json" } }', /point into the schema itself/],
        ['{ schemaFile: missing.json }', /missing\.json: there is no such file/],
        ['{ schemaFile: plimsoll.txt }', /not JSON/],
      ] as const) {
        writeFileSync(join(directory, 'plimsoll.txt'), 'no');
        assert.throws(
          () => compile(output),
          (thrown: PlimsollError) => thrown.code === 'config_invalid' && message.test(thrown.message),
          output,
        );
      }
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
