import type { SeededRandom } from '../seeded-random.ts';

export type Difficulty = 'simple' | 'medium' | 'complex';

/** A question with one right answer that a program can check. */
export interface Task {
  /** Template that it was made from. */
  readonly id: string;
  readonly difficulty: Difficulty;
  readonly prompt: string;
  /** The right answer: a number, a word or a short text. */
  readonly truth: string;
  /** How it is found, in one sentence and without the values; stands before the answer. */
  readonly method: string;
  /** A plausible wrong answer; never the truth. */
  wrong(random: SeededRandom): string;
}

type Values = Readonly<Record<string, string>>;

/** Makes tasks, and knows its own again when it is asked one. */
export interface TaskTemplate {
  readonly id: string;
  readonly difficulty: Difficulty;
  draw(random: SeededRandom): Task;
  /** @returns null when the text is none of this template's questions */
  recognise(prompt: string): Task | null;
}

interface TemplateParts {
  readonly id: string;
  readonly difficulty: Difficulty;
  /** The question in several wordings, with `{name}` where a value stands; every wording has all values. */
  readonly phrasings: readonly [string, ...string[]];
  /** Values that are more than one word; none when absent. */
  readonly texts?: readonly string[];
  draw(random: SeededRandom): Values;
  /** @returns null when the values are none that a task can have (someone else wrote them) */
  solve(values: Values): string | null;
  readonly method: string;
  /** Other answers of the same kind; for numbers near ones are taken when absent. */
  others?(values: Values): readonly string[];
}

/** The text before and between the values, as a pattern that finds them again. A word has no spaces, so that nothing is tried twice. */
function patternOf(phrasing: string, texts: readonly string[]): RegExp {
  const group = (name: string): string => `(?<${name}>${texts.includes(name) ? '[^\\n"]{1,400}?' : '[\\w.@-]{1,40}'})`;
  const source = phrasing
    .split(/\{(\w+)\}/)
    .map((piece, at) => (at % 2 === 1 ? group(piece) : piece.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')))
    .join('');
  return new RegExp(`^${source}$`);
}

function fill(phrasing: string, values: Values): string {
  return phrasing.replace(/\{(\w+)\}/g, (_, name: string) => values[name] ?? '');
}

const NUMBER = /^-?\d+(?:\.\d+)?$/;
/** What slips and wrong turns change a result by. */
const SLIPS = [-10, -2, -1, 1, 2, 10, 100];

function nearNumber(truth: string, random: SeededRandom): string {
  const decimals = truth.split('.')[1]?.length ?? 0;
  const value = Number(truth);
  const slip = random.chance(0.3) ? value * (random.chance(0.5) ? 0.1 : -0.1) : random.pick(SLIPS);
  const wrong = (value + (Math.abs(slip) < 1 ? 1 : slip)).toFixed(decimals);
  return wrong === truth ? (value + 1).toFixed(decimals) : wrong;
}

export function taskTemplate(parts: TemplateParts): TaskTemplate {
  const { id, difficulty, method, phrasings } = parts;
  const patterns = phrasings.map((phrasing) => patternOf(phrasing, parts.texts ?? []));
  const taskOf = (prompt: string, values: Values): Task | null => {
    const truth = parts.solve(values);
    if (truth === null) return null;
    return {
      id,
      difficulty,
      prompt,
      truth,
      method,
      wrong(random) {
        const others = parts.others?.(values).filter((other) => other !== truth) ?? [];
        return others.length > 0 ? random.pick(others) : NUMBER.test(truth) ? nearNumber(truth, random) : `not ${truth}`;
      },
    };
  };
  return {
    id,
    difficulty,
    draw(random) {
      const values = parts.draw(random);
      const task = taskOf(fill(random.pick(phrasings), values), values);
      if (task === null) throw new Error(`The template "${id}" drew values that it cannot solve: ${JSON.stringify(values)}`);
      return task;
    },
    recognise(prompt) {
      for (const pattern of patterns) {
        const values = pattern.exec(prompt)?.groups;
        if (values !== undefined) return taskOf(prompt, values);
      }
      return null;
    },
  };
}
