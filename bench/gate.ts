/**
 * How often does the gate block a version that did not change, how often does it catch a drop, and is the drop that it says it can detect detected?
 * Beside it the rules that other tools gate by. Simulated suites: cases pass with probability .99, .8 or .3 (85, 10, 5 %), alone or five to a cluster
 * with an intraclass correlation of .3; both versions are run 1 or 3 times over the same cases.
 * node bench/gate.ts [--runs N] [--json] [--smoke]
 */
import { parseArgs } from 'node:util';
import { decideGate } from '../src/evals/gate/decide.ts';
import { type CaseScores, DEFAULT_GATE, type GateSpec } from '../src/evals/gate/model.ts';
import { seededRandom } from '../src/sim/seeded-random.ts';
import { wilsonInterval } from '../src/stats/intervals.ts';

const { values: options } = parseArgs({
  options: {
    runs: { type: 'string', default: '2000' },
    json: { type: 'boolean', default: false },
    smoke: { type: 'boolean', default: false },
  },
});
const runs = options.smoke ? 60 : Number(options.runs);
const CLUSTER_SIZE = 5;
const ICC = 0.3;
const MARGIN = 0.03;
const SPEC: GateSpec = {
  ...DEFAULT_GATE,
  metrics: [{ name: 'correct', direction: 'higher', margin: MARGIN, range: 1, threshold: null }],
  slices: [],
};

interface Shape {
  readonly cases: number;
  readonly repeats: number;
  readonly isClustered: boolean;
}

interface Suite {
  readonly baseline: CaseScores[];
  readonly candidate: CaseScores[];
}

/** Both versions of a suite; the candidate's cases pass less often by `drop`. */
function simulate({ cases, repeats, isClustered }: Shape, drop: number, seed: number): Suite {
  const random = seededRandom(seed);
  const baseline: CaseScores[] = [];
  const candidate: CaseScores[] = [];
  let shared: number[] = [];
  for (let index = 0; index < cases; index++) {
    const kind = random.next();
    const probability = kind < 0.85 ? 0.99 : kind < 0.95 ? 0.8 : 0.3;
    if (index % CLUSTER_SIZE === 0) shared = Array.from({ length: 2 * repeats }, () => random.next());
    // With probability √ICC a case's luck is its cluster's: two cases then share it with probability ICC.
    const passes = (side: 0 | 1, repeat: number, share: number): number => {
      const own = random.next();
      const isShared = random.next() < Math.sqrt(ICC) && isClustered;
      return (isShared ? (shared[2 * repeat + side] ?? own) : own) < share ? 1 : 0;
    };
    const scores = (side: 0 | 1, share: number): (0 | 1)[] =>
      Array.from({ length: repeats }, (_, repeat) => (passes(side, repeat, share) === 1 ? 1 : 0));
    const entry = { caseId: String(index), cluster: isClustered ? String(Math.floor(index / CLUSTER_SIZE)) : String(index), slices: {} };
    baseline.push({ ...entry, scores: { correct: scores(0, probability) } });
    candidate.push({ ...entry, scores: { correct: scores(1, Math.max(0, probability - drop)) } });
  }
  return { baseline, candidate };
}

function rate(cases: readonly CaseScores[]): number {
  const all = cases.flatMap(({ scores }) => scores.correct ?? []);
  return all.reduce<number>((sum, score) => sum + (score ?? 0), 0) / all.length;
}

interface Shares {
  readonly blocked: number;
  readonly passed: number;
  readonly anyFailure: number;
  readonly anyDrop: number;
  readonly dropOverTwoPoints: number;
  /** Mean of the drop that the gate says it would have found. */
  readonly detectableDrop: number;
}

function measure(shape: Shape, drop: number, count: number, seed: number): Shares {
  const totals = { blocked: 0, passed: 0, anyFailure: 0, anyDrop: 0, dropOverTwoPoints: 0, detectableDrop: 0 };
  for (let run = 0; run < count; run++) {
    const { baseline, candidate } = simulate(shape, drop, seed + run);
    const report = decideGate(baseline, candidate, SPEC);
    const fall = rate(baseline) - rate(candidate);
    if (report.verdict === 'regressed') totals.blocked++;
    if (report.verdict === 'pass') totals.passed++;
    if (rate(candidate) < 1) totals.anyFailure++;
    if (fall > 1e-9) totals.anyDrop++;
    if (fall > 0.02 + 1e-9) totals.dropOverTwoPoints++;
    totals.detectableDrop += report.comparisons[0]?.detectableDrop ?? 0;
  }
  const share = (value: number): number => value / count;
  return {
    blocked: share(totals.blocked),
    passed: share(totals.passed),
    anyFailure: share(totals.anyFailure),
    anyDrop: share(totals.anyDrop),
    dropOverTwoPoints: share(totals.dropOverTwoPoints),
    detectableDrop: share(totals.detectableDrop),
  };
}

function print(name: string, shares: Shares, count: number, note: string): void {
  const upper = wilsonInterval(Math.round(shares.blocked * count), count)[1];
  if (options.json) {
    console.log(
      JSON.stringify({
        name,
        runs: count,
        ...shares,
        blockedUpper: upper,
        ratios: { anyFailure: shares.blocked / (shares.anyFailure || 1) },
      }),
    );
    return;
  }
  const percent = (share: number): string => `${(100 * share).toFixed(1).padStart(5)} %`;
  console.log(
    `${name.padEnd(40)} gate ${percent(shares.blocked)} (at most ${(100 * upper).toFixed(1)})  any failure ${percent(shares.anyFailure)}  any drop ${percent(shares.anyDrop)}  > 2 points ${percent(shares.dropOverTwoPoints)}  ${note}`,
  );
}

const shapes: Shape[] = [50, 100, 300].flatMap((cases) =>
  [1, 3].flatMap((repeats) => [false, true].map((isClustered) => ({ cases, repeats, isClustered }))),
);
function named({ cases, repeats, isClustered }: Shape): string {
  return `${cases} cases x ${repeats}${isClustered ? ', clustered' : ''}`;
}

if (!options.json) console.log(`Blocked without a change (${runs} runs each; margin ${MARGIN}, alpha ${SPEC.alpha})`);
for (const [index, shape] of shapes.entries()) {
  const shares = measure(shape, 0, runs, 1_000_000 * (index + 1));
  print(`A/A ${named(shape)}`, shares, runs, `passes ${(100 * shares.passed).toFixed(0)} %`);
}
const power = Math.max(20, Math.round(runs / 2));
if (!options.json) console.log(`\nBlocked after a drop (${power} runs each)`);
for (const [shape, drop] of [
  [{ cases: 300, repeats: 3, isClustered: false }, 0.03],
  [{ cases: 300, repeats: 1, isClustered: false }, 0.03],
  [{ cases: 300, repeats: 3, isClustered: false }, 0.05],
  [{ cases: 300, repeats: 3, isClustered: true }, 0.05],
  [{ cases: 100, repeats: 3, isClustered: false }, 0.05],
] as const) {
  print(`${drop * 100} points, ${named(shape)}`, measure(shape, drop, power, 77_000_000), power, '');
}
if (!options.json) console.log(`\nBlocked after the drop that the gate says it detects with 80 % (${power} runs each)`);
for (const [index, shape] of shapes.entries()) {
  const { detectableDrop } = measure(shape, 0, Math.max(20, Math.round(power / 5)), 55_000_000 * (index + 1));
  print(
    `${(100 * detectableDrop).toFixed(1)} points, ${named(shape)}`,
    measure(shape, detectableDrop, power, 33_000_000 + index),
    power,
    '',
  );
}
