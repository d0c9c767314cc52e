import { caseScores } from '../evals/gate/case-scores.ts';
import type { CaseScores, GateSpec } from '../evals/gate/model.ts';
import { RunDirectory, type RunHeader } from '../evals/runner/run-directory.ts';
import { findScorer } from '../evals/score-with.ts';
import { SCORERS } from '../evals/scorers/index.gen.ts';
import type { CliContext } from './cli.ts';
import { evalsFolder } from './eval-run.ts';

export interface ComparedRun {
  readonly header: RunHeader;
  readonly cases: readonly CaseScores[];
}

/** A finished or stopped run as the gate compares it. @throws PlimsollError `not_found` */
export async function comparedRun(id: string, spec: Pick<GateSpec, 'metrics'>, context: CliContext): Promise<ComparedRun> {
  const directory = new RunDirectory(evalsFolder(context), id);
  const header = directory.header();
  const cases = await caseScores(
    header,
    directory.rows(),
    spec.metrics.map(({ name }) => name),
    isJudged,
  );
  return { header, cases };
}

/** What makes two runs less than comparable. */
export function remarksOn(baseline: RunHeader, candidate: RunHeader): string[] {
  return [
    ...(baseline.assertionHash === candidate.assertionHash
      ? []
      : ['The two runs were scored by different assertions or judges: what differs may be the yardstick.']),
    ...(baseline.prompts.length === candidate.prompts.length && baseline.targets.length === candidate.targets.length
      ? []
      : ['The two runs have different numbers of prompts or targets: only cells with the same number are compared.']),
    ...(baseline.targets.some(({ model }, index) => model !== candidate.targets[index]?.model)
      ? ['The models of the two runs are not the same.']
      : []),
  ];
}

/** Whether a judge decides an assertion of that type. */
export function isJudged(type: string): boolean {
  return findScorer(SCORERS, type)?.definition.needs.includes('judge') ?? false;
}
