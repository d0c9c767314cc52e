import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Score } from '../score.ts';
import type { ScorerDefinition } from '../scorer.ts';
import { SUBJECT, scriptedTools } from './testing.ts';

const SCORERS = new URL('../scorers/', import.meta.url);
/** Of scorers that have options without a default. */
const OPTIONS: Readonly<Record<string, object>> = {
  'llm-rubric': { value: 'Names a date.', threshold: 0.5 },
  'agent-rubric': { value: 'Names a date.' },
  'trajectory:goal-success': { value: 'The date is known.' },
  'model-graded-closedqa': { value: 'Names a date.' },
  'g-eval': { value: ['correct', 'short'], samples: 2 },
  'topic-adherence': { value: ['physics'] },
  classifier: { value: 'good', labels: ['good', 'bad'] },
};

async function judgedScorers(): Promise<ScorerDefinition[]> {
  const files = readdirSync(SCORERS).filter((name) => name.endsWith('.ts') && !name.includes('.test.') && !name.includes('.gen.'));
  const loaded = await Promise.all(
    files.map(async (file) => (await import(new URL(file, SCORERS).href)) as { default?: ScorerDefinition }),
  );
  return loaded.flatMap(({ default: scorer }) => (scorer?.needs?.includes('judge') ? [scorer] : []));
}
const scorers = await judgedScorers();

const subject = { ...SUBJECT, toolCalls: [{ name: 'look_up', arguments: { name: 'Einstein' } }] };
async function scoreAll(text: string | ((call: number) => string)): Promise<void> {
  for (const scorer of scorers) {
    const options = scorer.options.parse(OPTIONS[scorer.names[0]] ?? {});
    const tools = scriptedTools((_, call) => (typeof text === 'string' ? text : text(call)));
    const score: Score = await scorer.score(subject, options, tools);
    if (score.state !== 'measured') {
      assert.ok(score.reason.length > 0, scorer.names[0]);
      continue;
    }
    assert.ok(Number.isFinite(score.value), `${scorer.names[0]}: ${score.value}`);
    for (const part of score.parts ?? []) assert.ok(Number.isFinite(part.value), `${scorer.names[0]} ${part.name}: ${part.value}`);
    assert.ok(score.reason.includes(String(text)) || !/undefined|\[object/.test(score.reason), `${scorer.names[0]}: ${score.reason}`);
  }
}

const GOOD = [
  '{"reason": "It is so.", "pass": true, "score": 0.8}',
  '{"verdicts": [{"number": 1, "reason": "x", "verdict": "yes"}, {"number": 2, "verdict": "no"}]}',
  '{"statements": ["Einstein was born in Germany.", "Einstein was born on 20 March 1879."]}',
  '{"question": "When was Einstein born?", "noncommittal": "no"}',
  '{"steps": ["Look."]}',
  '{"classifications": [{"statement": "a", "verdict": "yes"}]}',
  '{"better": "first", "category": "A", "refusal": "partial", "verdict": "yes", "wanted": "a", "reached": "b", "probabilities": [0.9, 0.1]}',
  'The date is wrong.\n(D) They contradict each other.\nVerdict: No. Verdict: Yes.\nN',
];
const HOSTILE = [
  '',
  ' ',
  '{}',
  '[]',
  'null',
  'NaN',
  '{"score": NaN}',
  '{"score": 1e999, "pass": true}',
  '{"score": "Infinity"}',
  '{"score": -1e308, "pass": "yes"}',
  '{"__proto__": {"pass": true, "score": 1, "verdict": "yes"}}',
  '{"constructor": {"prototype": {"verdict": "yes"}}}',
  '{"verdicts": [], "statements": []}',
  '{"verdicts": {"length": 2}}',
  '{"statements": [null, 1, {}]}',
  '{"statements": ["a"], "verdicts": [{"verdict": "yes"}, {"verdict": "yes"}, {"verdict": "yes"}, {"verdict": "yes"}]}',
  '[[[[[[[[[[',
  '{"a":'.repeat(5000),
  '\u0000\ud800\uffff',
  'I am sorry, but I cannot help with that.',
  '{"score": 10, "reason": "", "pass": null}',
  '{"probabilities": [2, -1]}',
];

describe('any reply of a judge', () => {
  it('is tried on all judged scorers', () => {
    assert.ok(scorers.length >= 30, `${scorers.length}`);
  });

  it('gives a finite number, or unmeasured, or failed', async () => {
    for (const text of HOSTILE) await scoreAll(text);
    for (const text of GOOD) await scoreAll(`\`\`\`json\n${text}\n\`\`\``);
    for (const text of GOOD) await scoreAll(`Let me see. ${text} That is all.`);
  });

  it('also when it is cut off anywhere', async () => {
    for (const text of GOOD) for (let length = 1; length <= text.length; length++) await scoreAll(text.slice(0, length));
  });

  it('also when it is a megabyte', async () => {
    for (const text of ['{"verdicts": [', 'x', '{"statements": ["', '\n1. a', '['])
      await scoreAll(text.repeat(Math.ceil(1_000_000 / text.length)));
  });

  it('also when each reply is another', async () => {
    const reply = fc.oneof(fc.constantFrom(...GOOD, ...HOSTILE.slice(0, 16)), fc.string(), fc.json());
    await fc.assert(
      fc.asyncProperty(fc.array(reply, { minLength: 1, maxLength: 8 }), (replies) =>
        scoreAll((call) => replies[call % replies.length] ?? ''),
      ),
      { numRuns: 150 },
    );
  });
});
