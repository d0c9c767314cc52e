import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { cpuTimer } from '../../kernel/testing.ts';
import { seededRandom } from '../seeded-random.ts';
import { drawTask, finalAnswer, findTask, isRight, TASK_TEMPLATES } from './tasks.ts';

const ONES: readonly (readonly [string, string])[] = [
  ['What is 17 + 25?', '42'],
  ['How many centimetres are 12 metres?', '1200'],
  ['Which day of the week comes 3 days after Saturday?', 'Tuesday'],
  ['What is the French word for "sail"?', 'voile'],
  ['A winch costs 100 euros net. We give 10 % discount and then add 19 % VAT. What does the customer pay, in euros and cents?', '107.10'],
  ['How many days lie between 2026-01-30 and 2026-03-02, counting the last day but not the first?', '31'],
  ['From 50 m of rope pieces of 5 m are cut; each piece costs another 10 cm for the cut. How many pieces are there?', '9'],
  ['What does this print? `let total = 1; for (let i = 0; i < 6; i += 2) total += i * 3; console.log(total);`', '19'],
  ['Add up only the orders of more than 100 euros: 100, 101, 20, 300.', '401'],
  [
    'Plan this refit and give the shortest possible duration in hours: sanding 2 h; painting 3 h after sanding; rigging 5 h after sanding; launching 1 h after painting and rigging; electrics 4 h after rigging. Jobs may run side by side.',
    '11',
  ],
  [
    'Choose crates for the highest total value without exceeding 10 kg; each may be taken once: A 6 kg worth 30; B 5 kg worth 22; C 5 kg worth 22. What is that value?',
    '44',
  ],
  [
    'Find the order of the boats. Brise came in directly behind Fulmar. Dolphin came in directly behind Brise. Who was number 3?',
    'Dolphin',
  ],
  ['What does f(4) return? `function f(n) { return n < 2 ? n + 1 : f(n - 1) + 2 * f(n - 2); }`', '16'],
  ['Count the whole numbers from 1 to 30 that 4 or 10 divides and 5 does not.', '6'],
  ['What is the cheapest way to buy exactly 30 m of rope, in euros, if 10 m cost 20, 25 m cost 52 and one metre costs 3?', '60'],
  [
    'A lock has codes of 3 letters from 3 letters. No letter may stand beside itself, and the first and the last letter differ. How many codes are there?',
    '6',
  ],
];

describe('tasks with a known truth', () => {
  it('solves examples worked out by hand', () => {
    for (const [prompt, truth] of ONES) assert.equal(findTask(prompt)?.truth, truth, prompt);
  });

  it('counts codes as trying all of them does', () => {
    const count = (length: number, letters: number, code: readonly number[] = []): number =>
      code.length === length
        ? Number(code[0] !== code.at(-1))
        : Array.from({ length: letters }, (_, letter) => letter)
            .filter((letter) => letter !== code.at(-1))
            .reduce((sum, letter) => sum + count(length, letters, [...code, letter]), 0);
    for (const length of [3, 4, 5, 6])
      for (const letters of [2, 3, 4])
        assert.equal(
          findTask(
            `How many strings of length ${length} over ${letters} letters have no two equal letters side by side and a last letter that differs from the first?`,
          )?.truth,
          `${count(length, letters)}`,
        );
  });

  it('recognises every task that it draws, with the same truth; a wrong answer is never right, a right one always is', () => {
    fc.assert(
      fc.property(fc.constantFrom(...TASK_TEMPLATES), fc.integer(), (template, seed) => {
        const task = template.draw(seededRandom(seed));
        const found = findTask(task.prompt);
        assert.deepEqual([found?.id, found?.truth, found?.difficulty], [task.id, task.truth, template.difficulty]);
        const random = seededRandom(seed, 'wrong');
        for (let round = 0; round < 5; round++) {
          const wrong = task.wrong(random);
          assert.notEqual(wrong, task.truth);
          assert.equal(isRight(task, `Let me see.\n\n${finalAnswer(wrong)}`), false, `${wrong} for ${task.truth}`);
        }
        assert.equal(isRight(task, `Let me see.\n\n${finalAnswer(task.truth)}`), true);
        assert.equal(isRight(task, `First try. Answer: 0\nBut no. Answer: ${task.truth}.`), true);
        assert.equal(isRight(task, 'I do not know.'), false);
      }),
      { numRuns: 400 },
    );
  });

  it('draws by difficulty, the same for the same seed, thousands of different ones', () => {
    for (const difficulty of ['simple', 'medium', 'complex'] as const) {
      const draw = (): string[] => {
        const random = seededRandom('draw', difficulty);
        return Array.from({ length: 2_000 }, () => {
          const task = drawTask(difficulty, random);
          assert.equal(task.difficulty, difficulty);
          return task.prompt;
        });
      };
      const prompts = draw();
      assert.deepEqual(prompts, draw());
      assert.ok(new Set(prompts).size > (difficulty === 'simple' ? 800 : 1_500), `${difficulty}: ${new Set(prompts).size}`);
    }
  });

  it('leaves other texts alone, and is quick with hostile ones', () => {
    for (const text of ['', 'What is love?', 'What is 17 + x?', 'Where is my order 1042?', 'How many centimetres are -3 metres?'])
      assert.equal(findTask(text), null, text);
    const hostile = `Find the order of the boats. ${'A came in directly behind B. '.repeat(20)}Who was number 3`;
    const repeated = `Order values in euros: ${'1, '.repeat(250)}`;
    const spentMs = cpuTimer();
    for (let round = 0; round < 50; round++) for (const text of [hostile, repeated]) assert.equal(findTask(text), null);
    assert.ok(spentMs() < 2_000, `${spentMs()} ms`);
  });
});
