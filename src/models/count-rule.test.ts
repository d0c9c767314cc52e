import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type CountRule, countRules } from './count-rule.ts';
import { NO_USAGE } from './usage.ts';
import { explainUsage } from './usage-check.ts';

const tokens = fc.oneof(fc.constant(0), fc.nat(20), fc.nat(1_000_000));
const rule = fc.constantFrom<CountRule>('inclusive', 'exclusive');
const rules = fc.record({ input: rule, output: rule });
const truth = fc.record({ plainInput: tokens, cached: tokens, plainOutput: tokens, reasoning: tokens });

/** What a sender that follows `rules` reports. */
function report(
  { plainInput, cached, plainOutput, reasoning }: ReturnType<typeof exampleTruth>,
  by: { input: CountRule; output: CountRule },
) {
  return {
    input: plainInput + (by.input === 'inclusive' ? cached : 0),
    cached,
    output: plainOutput + (by.output === 'inclusive' ? reasoning : 0),
    reasoning,
  };
}
const exampleTruth = () => ({ plainInput: 0, cached: 0, plainOutput: 0, reasoning: 0 });

describe('countRules', () => {
  it('never reads a confused sender wrongly without saying so, when there is a total', () => {
    let wrong = 0;
    fc.assert(
      fc.property(truth, rules, rules, (was, sender, dialect) => {
        const counts = report(was, sender);
        const total = was.plainInput + was.cached + was.plainOutput + was.reasoning;
        const read = countRules({ ...counts, total }, dialect);
        const plainInput = counts.input - (read.input === 'inclusive' ? counts.cached : 0);
        const plainOutput = counts.output - (read.output === 'inclusive' ? counts.reasoning : 0);
        assert.ok(plainInput >= 0 && plainOutput >= 0);
        const isRight = plainInput === was.plainInput && plainOutput === was.plainOutput;
        if (!isRight) {
          wrong++;
          assert.equal(read.isConsistent, false);
        }
      }),
      {
        numRuns: 2_000,
        examples: [
          [
            { plainInput: 9, cached: 5, plainOutput: 9, reasoning: 5 },
            { input: 'exclusive', output: 'inclusive' },
            { input: 'inclusive', output: 'exclusive' },
          ],
        ],
      },
    );
    assert.ok(wrong > 0, 'the case of two fitting readings never came up');
  });

  it('follows the dialect without a total, but for what is impossible', () => {
    fc.assert(
      fc.property(truth, rules, rules, (was, sender, dialect) => {
        const counts = report(was, sender);
        const read = countRules({ ...counts, total: null }, dialect);
        assert.equal(read.input, counts.cached > counts.input ? 'exclusive' : dialect.input);
        assert.equal(read.output, counts.reasoning > counts.output ? 'exclusive' : dialect.output);
        assert.equal(read.isConsistent, true);
      }),
    );
  });

  it('says when a total fits nothing', () => {
    const counts = { input: 10, cached: 4, output: 5, reasoning: 0 };
    const dialect = { input: 'inclusive', output: 'inclusive' } as const;
    assert.deepEqual(countRules({ ...counts, total: 15 }, dialect), { ...dialect, isConsistent: true });
    assert.deepEqual(countRules({ ...counts, total: 19 }, dialect), { input: 'exclusive', output: 'inclusive', isConsistent: true });
    assert.deepEqual(countRules({ ...counts, total: 17 }, dialect), { ...dialect, isConsistent: false });
  });
});

describe('explainUsage', () => {
  const usage = { ...NO_USAGE, inputUncachedTokens: 6, cacheReadTokens: 4, outputTextTokens: 5, reasoningTokens: 2 };

  it('names the rule by which each side was read', () => {
    assert.equal(explainUsage({ prompt_tokens: 10, completion_tokens: 5 }, usage).rule, 'input inclusive, output exclusive');
    assert.equal(explainUsage({ input_tokens: 6, output_tokens: 7 }, usage).rule, 'input exclusive, output inclusive');
    assert.equal(
      explainUsage({ input_tokens: 11, output_tokens: 5 }, { ...NO_USAGE, inputUncachedTokens: 11, outputTextTokens: 5 }).rule,
      null,
    );
  });

  it('finds a total that does not add up', () => {
    assert.equal(explainUsage({ prompt_tokens: 10, total_tokens: 17 }, usage).conflict, null);
    assert.equal(explainUsage({ totalTokenCount: 18 }, usage).conflict, "the provider's total is 18, what it counted adds up to 17");
    assert.equal(explainUsage({ total_tokens: 20 }, usage, 3).conflict, null);
    assert.deepEqual(explainUsage('x', usage), { rule: null, conflict: null });
  });
});
