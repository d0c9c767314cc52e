import { contentHash } from '../../kernel/ids.ts';
import type { Suite, SuiteCase, SuitePrompt, SuiteTarget } from '../suite.ts';

/** One call of the matrix. */
export interface RunItem {
  readonly n: number;
  readonly case: SuiteCase;
  readonly prompt: number;
  readonly target: number;
  readonly repeat: number;
}

function isWanted(entry: SuiteCase, prompt: SuitePrompt, target: SuiteTarget): boolean {
  const allows = (labels: readonly string[] | null, label: string): boolean =>
    labels === null || labels.some((one) => one === label || (one.endsWith('*') && label.startsWith(one.slice(0, -1))));
  return allows(target.prompts, prompt.label) && allows(entry.prompts, prompt.label) && allows(entry.targets, target.label);
}

/** The matrix in its fixed order: numbers mean the same after a kill. */
export function* runItems({ cases, prompts, targets, repeats }: Suite): Generator<RunItem> {
  let n = 0;
  for (const entry of cases)
    for (let prompt = 0; prompt < prompts.length; prompt++)
      for (let target = 0; target < targets.length; target++) {
        const [one, other] = [prompts[prompt], targets[target]];
        if (one === undefined || other === undefined || !isWanted(entry, one, other)) continue;
        for (let repeat = 0; repeat < repeats; repeat++) yield { n: n++, case: entry, prompt, target, repeat };
      }
}

export function countItems(suite: Suite): number {
  let count = 0;
  for (const _ of runItems(suite)) count++;
  return count;
}

export function assertionHash({ cases, judge }: Suite): string {
  const texts = new Set<string>();
  let last: SuiteCase | null = null;
  for (const entry of cases) {
    // Cases of one defaultTest share their list.
    if (last === null || entry.assertions !== last.assertions || entry.threshold !== last.threshold)
      texts.add(JSON.stringify([entry.assertions, entry.threshold], withoutPlace));
    last = entry;
  }
  return contentHash(JSON.stringify([judge, [...texts].sort()])).slice(0, 16);
}

export function planHash(suite: Suite): string {
  const { prompts, targets, repeats, cases, feature } = suite;
  return contentHash(
    JSON.stringify([
      feature,
      prompts.map(({ hash, label }) => [label, hash]),
      targets,
      repeats,
      cases.map(({ id }) => id),
      assertionHash(suite),
    ]),
  ).slice(0, 16);
}

/** Where an assertion stands in its file does not change what it asks. */
function withoutPlace(key: string, value: unknown): unknown {
  return key === 'place' ? undefined : value;
}
