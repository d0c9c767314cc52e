import { join } from 'node:path';
import { GatewayCaller } from '../evals/runner/gateway-caller.ts';
import { RunDirectory, type RunHeader } from '../evals/runner/run-directory.ts';
import { assertionHash, countItems, planHash } from '../evals/runner/run-plan.ts';
import { type RunProgress, SuiteRun } from '../evals/runner/run-suite.ts';
import { type RunSummary, Summariser } from '../evals/runner/summary.ts';
import type { Suite } from '../evals/suite.ts';
import { systemClock } from '../kernel/clock.ts';
import type { CommandOutput } from '../kernel/commands.ts';
import { PlimsollError } from '../kernel/errors.ts';
import { newUuidV7 } from '../kernel/ids.ts';
import { picoUsdFromDecimal } from '../kernel/money.ts';
import type { CliContext } from './cli.ts';
import { jitter, registryScore, sandboxTransform } from './eval-suite.ts';
import { formatCost, formatCount } from './format.ts';
import { ScriptPool } from './scripts/script-pool.ts';

const CONNECTIONS = 64;
const REPORT_MS = 250;

export interface EvalRunOptions {
  readonly suite: Suite;
  readonly file: string;
  /** Id of a run to go on with; null = a new one. */
  readonly resume: string | null;
  readonly maxCostUsd: number | null;
  readonly usesCache: boolean;
  readonly embedder: string | null;
  readonly attempts: number;
  readonly gateway: string | null;
  /** Expected cost of the dearest answer, pico-dollars. */
  readonly dearestPicoUsd: bigint;
}

export function evalsFolder({ environment }: CliContext): string {
  return join(environment.dataDirectory, 'evals');
}

/** @throws PlimsollError `unauthenticated` when models are to be called and there is no virtual key */
function virtualKey(suite: Suite, { environment }: CliContext): string {
  const key = environment.variables.PLIMSOLL_VIRTUAL_KEY;
  const isCalled = suite.judge !== null || suite.targets.some(({ model }) => model !== null);
  if (!key && isCalled)
    throw new PlimsollError(
      'unauthenticated',
      'Set PLIMSOLL_VIRTUAL_KEY to a key that may call the models; what the run costs is that key’s.',
    );
  return key ?? '';
}

/** Runs a suite, or what is left of it. Results are in the run's folder whatever happens. */
export async function runEval(
  options: EvalRunOptions,
  context: CliContext,
  output: CommandOutput,
  signal: AbortSignal,
): Promise<RunSummary> {
  const { suite } = options;
  const root = evalsFolder(context);
  const key = virtualKey(suite, context);
  const total = countItems(suite);
  if (total === 0) throw new PlimsollError('invalid_argument', 'The suite has nothing to run: no case fits a prompt and a target.');
  const startedAtMs = systemClock.nowMs();
  const header: RunHeader = {
    version: 1,
    id: options.resume ?? newUuidV7(startedAtMs),
    suite: suite.name,
    file: options.file,
    feature: suite.feature,
    startedAtMs,
    planHash: planHash(suite),
    assertionHash: assertionHash(suite),
    prompts: suite.prompts.map(({ label, hash }) => ({ label, hash })),
    targets: suite.targets.map(({ label, model }) => ({ label, model })),
    repeats: suite.repeats,
    judge: suite.judge,
    cases: suite.cases.length,
    total,
  };
  const directory = new RunDirectory(root, header.id);
  const kept = options.resume === null ? null : directory.header();
  if (kept !== null && kept.planHash !== header.planHash)
    throw new PlimsollError(
      'conflict',
      `Run ${kept.id} was of other prompts, cases or assertions; start a new run, or restore the files of ${kept.file}.`,
    );
  if (kept === null) directory.create(header);
  else await directory.repair();
  const summariser = new Summariser(kept ?? header);
  const items = new Uint8Array(total);
  for await (const row of directory.rows()) {
    items[row.n] = 1;
    summariser.add(row);
  }
  const before = summariser.summary(null);
  const count = (pick: (cell: RunSummary['cells'][number]) => number): number => before.cells.reduce((sum, cell) => sum + pick(cell), 0);
  const writer = await directory.writer();
  const scripts = new ScriptPool();
  const caller = new GatewayCaller({
    url: (options.gateway ?? context.client.baseUrl).replace(/\/+$/, ''),
    virtualKey: key,
    feature: suite.feature,
    tags: `eval=${header.id}`,
    connections: CONNECTIONS,
  });
  const started = performance.now();
  let reportedMs = 0;
  output.note(`Run ${header.id}: ${formatCount(total)} answers${before.done > 0 ? `, ${formatCount(before.done)} of them done` : ''}`);
  try {
    const run = new SuiteRun({
      id: header.id,
      suite,
      total,
      finished: {
        items,
        progress: {
          done: before.done,
          passed: count(({ passed }) => passed),
          failed: count(({ failed }) => failed),
          errors: count(({ errors }) => errors),
          spentPicoUsd: BigInt(before.spentPicoUsd),
          judgePicoUsd: BigInt(before.judgePicoUsd),
        },
      },
      caller,
      score: registryScore(scripts),
      transform: sandboxTransform(scripts),
      embedder: options.embedder,
      writer: {
        append(row) {
          summariser.add(row);
          return writer.append(row);
        },
      },
      clock: systemClock,
      random: jitter,
      signal,
      maxCostPicoUsd: options.maxCostUsd === null ? null : picoUsdFromDecimal(`${options.maxCostUsd}`),
      callPicoUsd: options.dearestPicoUsd,
      usesCache: options.usesCache,
      attempts: options.attempts,
      report(progress) {
        const nowMs = performance.now();
        if (nowMs - reportedMs < REPORT_MS) return;
        reportedMs = nowMs;
        output.progress(progressText(progress, before.done, nowMs - started));
      },
    });
    const { stopped } = await run.run();
    await writer.flush();
    const summary = summariser.summary({ stopped, atMs: systemClock.nowMs() });
    directory.writeSummary(summary);
    return summary;
  } finally {
    output.progress('');
    scripts.close();
    await writer.close();
    await caller.close();
  }
}

function progressText(
  { done, total, failed, errors, spentPicoUsd, judgePicoUsd, concurrency }: RunProgress,
  before: number,
  elapsedMs: number,
): string {
  const left = done > before ? ((total - done) * elapsedMs) / (done - before) / 1000 : null;
  const eta = left === null ? '' : `, ${left < 90 ? `${Math.ceil(left)} s` : `${Math.ceil(left / 60)} min`} left`;
  const judges = judgePicoUsd > 0n ? ` + judges ${formatCost(`${judgePicoUsd}`, 0)}` : '';
  return `${formatCount(done)} of ${formatCount(total)}, ${failed} failed, ${errors} errors, ${formatCost(`${spentPicoUsd}`, 0)}${judges}, ${concurrency} at a time${eta}`;
}
