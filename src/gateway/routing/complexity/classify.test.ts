import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { TIERS } from '../policy.ts';
import { viewPrompt } from '../prompt-view.ts';
import { classifyComplexity } from './classify.ts';
import { complexityFeatures, FEATURE_NAMES } from './features.ts';
import { accuracyOf, confusionMatrix, exampleOf, type LabelledPrompt, splitPrompts } from './train.ts';
import { MODEL } from './weights.gen.ts';

const path = fileURLToPath(new URL('./labelled-prompts.jsonl', import.meta.url));
const prompts = readFileSync(path, 'utf8')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => JSON.parse(line) as LabelledPrompt);

function ask(text: string): string {
  return classifyComplexity(viewPrompt({ messages: [{ role: 'user', content: text }] })).tier;
}

describe('the complexity classifier', () => {
  it('has a weight for every feature', () => {
    assert.equal(MODEL.means.length, FEATURE_NAMES.length);
    assert.equal(MODEL.scales.length, FEATURE_NAMES.length);
    assert.deepEqual(
      MODEL.weights.map((row) => row.length),
      TIERS.map(() => FEATURE_NAMES.length + 1),
    );
  });

  it('is right on most prompts that it never saw, and hardly ever takes a complex one for a simple one', () => {
    const { training, heldOut } = splitPrompts(prompts);
    const seen = new Set(training.map(({ text }) => text));
    assert.ok(heldOut.length >= 90 && heldOut.every(({ text }) => !seen.has(text)));
    const matrix = confusionMatrix(heldOut.map(exampleOf), MODEL);
    const { correct, total } = accuracyOf(matrix);
    assert.ok(correct / total >= 0.8, `${correct} of ${total}: ${JSON.stringify(matrix)}`);
    assert.ok((matrix[2]?.[0] ?? 0) <= 2, JSON.stringify(matrix));
  });

  it('judges plain cases in several languages', () => {
    assert.equal(ask('Hello!'), 'simple');
    assert.equal(ask('Wie heißt die Hauptstadt von Finnland?'), 'simple');
    assert.equal(ask('Écris un courriel pour inviter un client à une démonstration de notre produit.'), 'medium');
    assert.equal(
      ask(
        'Design a fault-tolerant scheduler for a cluster with 500 nodes, discuss consistency, leader election and failure modes, prove that no job runs twice, and analyse the trade-offs against a simpler design.',
      ),
      'complex',
    );
  });

  it('gives probabilities that add up, the same ones each time, for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 3_000 }), fc.nat(50), (text, tools) => {
        const view = viewPrompt({ messages: [{ role: 'user', content: text }], tools: new Array(tools).fill({}) });
        const features = complexityFeatures(view);
        assert.ok(features.length === FEATURE_NAMES.length && features.every(Number.isFinite));
        const first = classifyComplexity(view);
        assert.deepEqual(classifyComplexity(view), first);
        const sum = Object.values(first.probabilities ?? {}).reduce((total, value) => total + value, 0);
        assert.ok(Math.abs(sum - 1) < 0.01);
        if (first.isUndecided) assert.equal(first.tier, 'medium');
      }),
      { numRuns: 60 },
    );
  });

  it('reads requests of any shape', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (messages, tools) => {
        const view = viewPrompt({ messages, tools, response_format: messages });
        assert.ok(complexityFeatures(view).every(Number.isFinite));
      }),
    );
  });
});
