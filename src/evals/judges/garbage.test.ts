import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { seededRandom } from '../../sim/seeded-random.ts';
import { decideGate } from '../gate/decide.ts';
import { type CaseScores, DEFAULT_GATE, type GateSpec } from '../gate/model.ts';
import llmRubric from '../scorers/llm-rubric.ts';
import { SUBJECT, scriptedTools } from './testing.ts';

const GARBAGE = [
  '',
  'I am sorry, but I cannot judge this.',
  '{"reason": "It',
  '{"verdict": "maybe"}',
  '```json\n{}\n```',
  '<html>502 Bad Gateway</html>',
];
const SPEC: GateSpec = {
  ...DEFAULT_GATE,
  metrics: [{ name: 'rubric', direction: 'higher', margin: 0.05, range: 1, threshold: null }],
  slices: [],
};
const OPTIONS = llmRubric.options.parse({ value: 'Names a date.' });
const CASES = 150;
const ROUNDS = 100;

/** @param rate of good outputs; @param garbage share of replies that cannot be read */
async function run(rate: number, garbage: number, seed: string): Promise<CaseScores[]> {
  const outputs = seededRandom(seed, 'outputs');
  const noise = seededRandom(seed, 'noise');
  const cases: CaseScores[] = [];
  for (let index = 0; index < CASES; index++) {
    const reply = outputs.chance(rate) ? '{"pass": true, "score": 1}' : '{"pass": false, "score": 0}';
    const tools = scriptedTools(() => (noise.chance(garbage) ? noise.pick(GARBAGE) : reply));
    const score = await llmRubric.score(SUBJECT, OPTIONS, tools);
    const value = score.state === 'measured' ? score.value : null;
    cases.push({ caseId: `c${index}`, cluster: `c${index}`, slices: {}, scores: { rubric: [value] } });
  }
  return cases;
}

describe('a judge of which every tenth reply is garbage', () => {
  it('changes the verdict of the gate in at most 2 % of runs', async () => {
    let changed = 0;
    const verdicts = new Set<string>();
    for (let round = 0; round < ROUNDS; round++) {
      const drop = [0, 0.08, 0.2][round % 3] ?? 0;
      const of = async (garbage: number): Promise<string> =>
        decideGate(await run(0.97, garbage, `a${round}`), await run(0.97 - drop, garbage, `b${round}`), SPEC).verdict;
      const clean = await of(0);
      verdicts.add(clean);
      if ((await of(0.1)) !== clean) changed++;
    }
    assert.ok(verdicts.size >= 2, [...verdicts].join());
    assert.ok(changed <= 0.02 * ROUNDS, `${changed}`);
  });
});
