import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { cpuTimer } from '../../kernel/testing.ts';
import { findScorer, scoreWith } from '../score-with.ts';
import type { JsonValue, Subject } from '../scorer.ts';
import { NO_TOOLS, subject } from '../testing.ts';
import { SCORERS } from './index.gen.ts';

/** Scorers that ask nobody: the others have tests with judges of their own. */
const ALONE = SCORERS.filter(({ needs }) => !needs.some((need) => ['judge', 'embedder', 'moderation'].includes(need)));

/** Options with which each can be asked; what is not named takes none. */
const OPTIONS: Readonly<Record<string, object>> = {
  equals: { value: { a: 1 } },
  'finish-reason': { value: 'stop' },
  'json-schema': { value: { type: 'object', required: ['a'] } },
  'json-diff': { value: { a: [1, 'x'] } },
  javascript: { value: 'true' },
  cost: { threshold: 1 },
  latency: { threshold: 1 },
  'word-count': { value: { max: 10 } },
  'tool-call-argument-f1': { value: [{ name: 'a', args: { b: 1 } }] },
  'tool-call-accuracy': { value: [{ name: 'a', args: { b: 1 } }] },
  'trace-span-count': { value: { pattern: '*', min: 1 } },
  'trace-span-duration': { value: { max: 5 } },
  'trajectory:tool-used': { value: { name: 'a', min: 0 } },
  'trajectory:tool-sequence': { value: ['a', 'b'] },
  'trajectory:tool-args-match': { value: { name: 'a', args: { b: 1 } } },
  'trajectory:step-count': { value: { max: 3 } },
};

async function optionsOf(name: string): Promise<object> {
  const found = findScorer(SCORERS, name);
  assert.ok(found !== null);
  const candidates = [OPTIONS[name], {}, { value: 'a.*b' }, { value: ['a'] }];
  const good = candidates.find((each) => each !== undefined && found.definition.options.safeParse(each).success);
  assert.ok(good !== undefined, `give ${name} options here`);
  return good;
}

const json = fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<JsonValue>; // what JSON holds
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constantFrom('', ' ', '\u0000', '\ud800', '{', '[]', '{"__proto__":{"a":1}}', '<a>', 'I cannot help', 'NaN', '\u202e', 'select 1'),
  json.map((value) => JSON.stringify(value)),
);
const number = fc.oneof(fc.double(), fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, -1, 0));
const spanned = fc.record({
  spanId: text,
  parentSpanId: fc.constant(null),
  name: text,
  operation: fc.constant(null),
  toolName: fc.option(fc.constantFrom('a', 'shell', 'Skill', '__proto__')),
  toolArguments: fc.option(json),
  startMs: number,
  durationMs: number,
  isError: fc.boolean(),
});
const hostile: fc.Arbitrary<Partial<Subject>> = fc.record(
  {
    output: text,
    reference: fc.option(text),
    toolCalls: fc.array(fc.record({ name: fc.constantFrom('a', '__proto__', 'constructor'), arguments: json }), { maxLength: 3 }),
    finishReason: fc.option(text),
    contexts: fc.option(fc.array(text, { maxLength: 3 })),
    contextIds: fc.option(fc.array(text, { maxLength: 3 })),
    referenceContexts: fc.option(fc.array(text, { maxLength: 3 })),
    referenceContextIds: fc.option(fc.array(text, { maxLength: 3 })),
    latencyMs: fc.option(number),
    costUsd: fc.option(number),
    logProbabilities: fc.option(fc.array(number, { maxLength: 4 })),
    spans: fc.option(fc.array(spanned, { maxLength: 4 })),
  },
  { requiredKeys: [] },
);

describe('every scorer', () => {
  it('has names of its own, and says what it is', () => {
    const names = SCORERS.flatMap(({ names: own }) => own);
    assert.equal(new Set(names).size, names.length);
    for (const { names: own, summary, source } of SCORERS) {
      assert.ok(own.every((name) => !name.startsWith('not-')));
      assert.ok(summary.endsWith('.') && source.length > 5, own[0]);
    }
  });

  for (const { names } of ALONE) {
    const [name] = names;
    it(`${name}: a finite number or a reason, whatever the run`, async () => {
      const options = await optionsOf(name);
      await fc.assert(
        fc.asyncProperty(hostile, fc.boolean(), async (parts, isNegated) => {
          const found = findScorer(SCORERS, isNegated ? `not-${name}` : name);
          assert.ok(found !== null);
          const score = await scoreWith(found, options, subject(parts), NO_TOOLS);
          assert.ok(score.reason.length > 0);
          if (score.state !== 'measured') return;
          assert.ok(
            Number.isFinite(score.value) && (score.parts ?? []).every(({ value }) => Number.isFinite(value)),
            JSON.stringify(score),
          );
        }),
        { numRuns: 60 },
      );
    });
  }

  it('takes no long time over a large answer', async () => {
    const outputs = [
      'word '.repeat(400_000),
      '<a b="'.repeat(100_000),
      '<p>'.repeat(200_000),
      '((('.repeat(100_000),
      '\'"`'.repeat(100_000),
      '1,'.repeat(300_000),
    ];
    for (const { names } of ALONE) {
      const [name] = names;
      const found = findScorer(SCORERS, name);
      assert.ok(found !== null);
      const options = await optionsOf(name);
      for (const output of outputs) {
        const timer = cpuTimer();
        await scoreWith(found, options, subject({ output, reference: output.slice(0, 2000) }), NO_TOOLS);
        assert.ok(timer() < 6000, `${name}: ${timer()} ms for ${output.slice(0, 6)}`);
      }
    }
  });
});
