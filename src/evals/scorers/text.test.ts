import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { score, valueGiven, verdictOf } from '../testing.ts';

const close = (actual: number, expected: number, tolerance = 1e-6): void =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);

describe('assertions about the text', () => {
  const CASES: [type: string, value: unknown, output: string, passed: boolean | string][] = [
    ['equals', 'a', 'a', true],
    ['equals', 'a', 'a ', false],
    ['equals', 4, '4', true],
    ['equals', true, 'true', true],
    ['equals', { a: 1, b: [2] }, '{"b":[2],"a":1}', true],
    ['equals', { a: 1 }, '{"a":"1"}', false],
    ['equals', [], 'no JSON', false],
    ['equals', null, 'null', true],
    ['not-equals', { a: 1 }, 'no JSON', true],
    ['contains', 'lo', 'hello', true],
    ['contains', 'LO', 'hello', false],
    ['contains', 42, 'the answer is 42', true],
    ['contains', '', 'anything', 'failed'],
    ['icontains', 'LO', 'hello', true],
    ['not-icontains', 'LO', 'hello', false],
    ['contains-any', ['x', 'l'], 'hello', true],
    ['contains-any', 'x, l', 'hello', true],
    ['contains-any', '"x, l"', 'hello', false],
    ['contains-any', '"a \\"b\\" c"', 'say a "b" c', true],
    ['contains-any', '"a ""b"" c"', 'say a "b" c', true],
    ['contains-any', '"open', 'open', 'failed'],
    ['contains-any', [], 'hello', false],
    ['contains-any', [1, 2], 'room 2', true],
    ['icontains-any', ['H'], 'hello', true],
    ['contains-all', 'h,,o', 'hello', true],
    ['contains-all', ['h', 'x'], 'hello', false],
    ['contains-all', [], 'hello', true],
    ['not-contains-all', ['h', 'x'], 'hello', true],
    ['icontains-all', 'H, E', 'hello', true],
    ['starts-with', 'he', 'hello', true],
    ['starts-with', 'He', 'hello', false],
    ['word-count', 2, 'two words', true],
    ['word-count', '2', ' two\n words ', true],
    ['word-count', { min: 3 }, 'two words', false],
    ['word-count', { max: 3 }, '', true],
    ['word-count', { min: 1, max: 2 }, 'two words', true],
    ['word-count', { min: 3, max: 2 }, 'two words', 'failed'],
    ['word-count', {}, 'two words', 'failed'],
    ['not-word-count', { min: 3 }, 'two words', true],
    ['regex', '\\d{3}-\\d{4}', 'call 555-1234', true],
    ['regex', '^\\d+$', 'a1', false],
    ['regex', '[\\w\\-]+\\@[\\w.]+', 'mail a-b@c.de', true],
    ['regex', '{"a": \\d}', '{"a": 1}', true],
    ['regex', '\\"x\\"', 'say "x"', true],
    ['regex', '[', 'x', 'failed'],
    ['regex', '[^]', '\n', true],
    ['not-regex', 'x', 'y', true],
    ['regex', '(a+)+$', `${'a'.repeat(100_000)}b`, false],
    ['regex', '(?=x)x', 'x', 'failed'],
  ];
  for (const [type, value, output, expected] of CASES) {
    it(`${type} ${JSON.stringify(value)} of ${JSON.stringify(output.slice(0, 40))}: ${expected}`, async () => {
      assert.equal(await verdictOf(type, { value }, { output }), expected);
    });
  }

  it('refuses what it does not know, and says what', async () => {
    const result = await score('contains', { value: 'a', vlaue: 'b' }, { output: 'a' });
    assert.ok(result.state === 'failed' && /vlaue/.test(result.reason), JSON.stringify(result));
  });

  it('runs look-around where code of suites runs', async () => {
    const scripts = { run: () => Promise.resolve({ state: 'returned' as const, value: true }) };
    const tools = { judge: () => assert.fail(), embed: () => assert.fail(), moderate: () => assert.fail(), scripts };
    assert.equal(await verdictOf('regex', { value: '(?=x)x' }, { output: 'x' }, tools), true);
  });
});

describe('what the run says of itself', () => {
  it('finish-reason', async () => {
    assert.equal(await verdictOf('finish-reason', { value: 'STOP' }, { finishReason: 'stop' }), true);
    assert.equal(await verdictOf('finish-reason', { value: 'stop' }), false);
    assert.equal(await verdictOf('not-finish-reason', { value: 'stop' }), true);
  });

  it('latency and cost, not measured where they are not known', async () => {
    assert.equal(await verdictOf('latency', { threshold: 100 }, { latencyMs: 100 }), true);
    assert.equal(await verdictOf('latency', { threshold: 100 }, { latencyMs: 101 }), false);
    assert.equal(await verdictOf('latency', { threshold: 100 }, { latencyMs: 1, isCached: true }), 'unmeasured');
    assert.equal(await verdictOf('latency', { threshold: 100 }), 'unmeasured');
    assert.equal(await verdictOf('latency', {}, { latencyMs: 1 }), 'failed');
    assert.equal(await verdictOf('cost', { threshold: 0.01 }, { costUsd: 0.01 }), true);
    assert.equal(await verdictOf('not-cost', { threshold: 0.01 }, { costUsd: 0.01 }), false);
    assert.equal(await verdictOf('cost', { threshold: 0.01 }), 'unmeasured');
  });

  it('perplexity: e^0.5 of promptfoo’s example, in two forms', async () => {
    const logProbabilities = [-0.1, -0.2, -0.3, -0.4, -1.5];
    const result = await score('perplexity', { threshold: 2 }, { logProbabilities });
    assert.ok(result.state === 'measured' && result.passed === true);
    close(result.parts?.[0]?.value ?? 0, Math.exp(0.5));
    close(await valueGiven('perplexity-score', {}, { logProbabilities }), 1 / (1 + Math.exp(0.5)));
    assert.equal(await verdictOf('perplexity', {}, { logProbabilities }), null);
    assert.equal(await verdictOf('perplexity', { threshold: 2 }, { logProbabilities: [] }), 'unmeasured');
    assert.equal(await verdictOf('perplexity', { threshold: 2 }, { logProbabilities: [Number.NaN] }), 'failed');
    assert.equal(await verdictOf('perplexity', { threshold: 2 }, { logProbabilities: [Number.NEGATIVE_INFINITY] }), 'failed');
  });
});

describe('likeness to a reference', () => {
  const india = 'The Eiffel Tower is located in India.';
  const paris = 'The Eiffel Tower is located in Paris.';

  it('vectors of ragas, docs/…/traditional.md', async () => {
    close(await valueGiven('string-similarity', {}, { output: india, reference: paris }), 0.8918918918918919);
    close(await valueGiven('rouge-l', {}, { output: india, reference: paris }), 0.8571428571428571);
    close(await valueGiven('bleu', { tokenizer: '13a' }, { output: india, reference: paris }), 0.7071067811865478);
  });

  it('vectors of autoevals, string tests', async () => {
    const VECTORS = [
      ['', '', 1],
      ['', 'a', 0],
      ['a', '', 0],
      ['a', 'b', 0],
      ['ab', 'ac', 0.5],
      ['abc', 'axc', 0.6666666666666667],
      ['xabxcdxxefxgx', '1ab2cd34ef5g6', 0.5384615384615384],
    ] as const;
    for (const [output, value, expected] of VECTORS) close(await valueGiven('string-similarity', { value }, { output }), expected, 1e-12);
  });

  it('levenshtein: at most 5 when nothing is said', async () => {
    assert.equal(await verdictOf('levenshtein', { value: 'kitten' }, { output: 'sitting' }), true);
    assert.equal(await verdictOf('levenshtein', { value: 'kitten', threshold: 2 }, { output: 'sitting' }), false);
    assert.equal(await verdictOf('levenshtein', { value: 'kitten' }, { output: 'x'.repeat(3_000_000) }), false);
    assert.equal(await verdictOf('levenshtein', { value: 'x'.repeat(20_000) }, { output: 'y'.repeat(20_001) }), 'failed');
  });

  it('bleu as promptfoo: words between white space, orders that are too long left out', async () => {
    close(await valueGiven('bleu', { value: paris }, { output: india }), (6 / 7 / (6 / 5) / (5 / 4) / (4 / 3)) ** 0.25);
    assert.equal(await valueGiven('bleu', { value: 'Hello' }, { output: 'hello' }), 1);
    assert.equal(await valueGiven('bleu', { value: 'Hello' }, { output: '   ' }), 0);
    close(await valueGiven('bleu', { value: 'one two three four' }, { output: 'one two' }), Math.exp(-1));
    close(await valueGiven('not-bleu', { value: paris }, { output: paris }), 0);
    assert.equal(await verdictOf('bleu', {}, { output: 'x' }), 'unmeasured');
    assert.equal(await verdictOf('bleu', { value: ' ' }, { output: 'x' }), 'unmeasured');
  });

  it('gleu: shared sequences over those of the longer side', async () => {
    // "the", "cat", "the cat" of 3 + 2 + 1 sequences.
    assert.equal(await valueGiven('gleu', { value: 'The cat sat.' }, { output: 'the cat' }), 0.5);
    assert.equal(await valueGiven('gleu', { value: 'the cat' }, { output: 'the cat sat' }), 0.5);
    assert.equal(await valueGiven('gleu', { value: 'the the cat' }, { output: 'the the the' }), 3 / 6);
    assert.equal(await valueGiven('gleu', { value: [paris, 'x'] }, { output: 'the eiffel tower is located in paris' }), 1);
  });

  it('meteor: vector of NLTK, whose pairs need no synonyms', async () => {
    const output = 'It is a guide to action which ensures that the military always obeys the commands of the party';
    const value = 'It is a guide to action that ensures that the military will forever heed Party commands';
    close(await valueGiven('meteor', { value }, { output }), 0.6944, 5e-5);
    assert.equal(await valueGiven('meteor', { value: 'non matching hypothesis' }, { output: 'this is a cat' }), 0);
  });

  it('rouge-n counts signs as words, and repeats as often as both have them', async () => {
    close(await valueGiven('rouge-n', { value: paris }, { output: india }), 0.875);
    assert.equal(await valueGiven('rouge-n', { value: 'The cat sat on the mat' }, { output: 'the cat sat on the mat' }), 1);
    assert.equal(await valueGiven('rouge-n', { value: "I can't" }, { output: "can't" }), 0.8);
    assert.equal(await verdictOf('rouge-n', { value: '' }, { output: 'x' }), 'unmeasured');
    assert.equal(await valueGiven('rouge-2', { value: 'a b c' }, { output: 'a b d' }), 0.5);
    assert.equal(await valueGiven('rouge-1', { value: 'über' }, { output: 'Über!' }), 1);
  });

  it('answer-length counts characters, not halves of them', async () => {
    assert.equal(await valueGiven('answer-length', {}, { output: 'a😀' }), 2);
    assert.equal(await verdictOf('answer-length', { max: 1 }, { output: 'a😀' }), false);
  });
});
