import type { SeededRandom } from '../seeded-random.ts';
import type { Difficulty, Task, TaskTemplate } from './task-template.ts';
import { COMPLEX_TASKS } from './tasks-complex.ts';
import { MEDIUM_TASKS } from './tasks-medium.ts';
import { SIMPLE_TASKS } from './tasks-simple.ts';

/** All templates; English. Each makes thousands of tasks. */
export const TASK_TEMPLATES: readonly TaskTemplate[] = [...SIMPLE_TASKS, ...MEDIUM_TASKS, ...COMPLEX_TASKS];

/** Draws a task of a difficulty. */
export function drawTask(difficulty: Difficulty, random: SeededRandom): Task {
  return random.pick(TASK_TEMPLATES.filter((template) => template.difficulty === difficulty)).draw(random);
}

/** Longer texts are none of these questions. */
const LONGEST_PROMPT = 800;

/** The task that a question is, if it is one. */
export function findTask(question: string): Task | null {
  const prompt = question.trim();
  if (prompt.length > LONGEST_PROMPT) return null;
  for (const template of TASK_TEMPLATES) {
    const task = template.recognise(prompt);
    if (task !== null) return task;
  }
  return null;
}

/** How an answer ends: what is checked. */
export function finalAnswer(answer: string): string {
  return `**Answer: ${answer}**`;
}

/** Case, marks, a full stop and a unit behind a number do not matter. */
function comparable(text: string): string {
  const plain = text
    .replace(/[*_`"“”]/g, '')
    .trim()
    .toLowerCase()
    .replace(/[.!,;]+$/, '');
  const number = /^-?\d+(?:[.,]\d+)?(?=$|[^\d.,])/.exec(plain)?.[0];
  return number === undefined ? plain : `${Number(number.replace(',', '.'))}`;
}

/**
 * Whether an answer is right. What stands behind the last "Answer:" counts, else the whole text.
 * @param text what a model said
 */
export function isRight(task: Pick<Task, 'truth'>, text: string): boolean {
  const marked = [...text.matchAll(/answer:\s*([^\n]+)/gi)].at(-1)?.[1];
  return comparable(marked ?? text) === comparable(task.truth);
}
