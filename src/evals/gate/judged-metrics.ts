import type { Suite, SuiteAssertion, SuiteAssertionSet } from '../suite.ts';
import type { GateMetric, GateSpec } from './model.ts';

/**
 * Metrics that rest on a judge inform and do not block, since no judge of a run on this machine has been held against people. Where that leaves nothing
 * to decide by, `checks` (all assertions that need no judge) decides, with the margin of the first metric.
 * @param isJudged whether a judge decides an assertion of that type
 */
export function withoutJudgedBlocks(
  spec: GateSpec,
  suite: Pick<Suite, 'cases'>,
  isJudged: (type: string) => boolean,
): { readonly spec: GateSpec; readonly remarks: readonly string[] } {
  const judged = new Set<string>();
  let hasChecks = false;
  const look = ({ type, metric, weight }: SuiteAssertion, outer: SuiteAssertionSet | null): void => {
    if (!isJudged(type)) {
      hasChecks ||= weight > 0;
      return;
    }
    if (weight > 0 && (outer === null || outer.weight > 0)) judged.add('pass');
    judged.add('score');
    for (const name of [metric, outer?.metric]) if (name) judged.add(name);
  };
  for (const { assertions } of suite.cases)
    for (const entry of assertions)
      if (entry.kind === 'assertion') look(entry, null);
      else for (const inner of entry.assertions) look(inner, entry);
  const metrics: GateMetric[] = spec.metrics.map((metric) => (judged.has(metric.name) ? { ...metric, mayBlock: false } : metric));
  const informing = metrics.filter(({ mayBlock }) => mayBlock === false).map(({ name }) => name);
  if (informing.length === 0) return { spec, remarks: [] };
  const remark = `${informing.join(', ')}: a judge has a part in it that was not held against people, so it informs and does not block.`;
  const [first] = metrics;
  if (metrics.some(({ mayBlock }) => mayBlock !== false) || !hasChecks || first === undefined)
    return { spec: { ...spec, metrics }, remarks: [remark] };
  const checks: GateMetric = { name: 'checks', direction: 'higher', margin: first.margin, range: 1, threshold: null };
  return { spec: { ...spec, metrics: [checks, ...metrics] }, remarks: [`${remark} "checks" are the assertions without a judge.`] };
}
