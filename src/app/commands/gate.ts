import { writeFileSync } from 'node:fs';
import { z } from 'zod';
import { decideGate } from '../../evals/gate/decide.ts';
import { assertMeasured, forecastGate, type GateForecast } from '../../evals/gate/forecast.ts';
import { withoutJudgedBlocks } from '../../evals/gate/judged-metrics.ts';
import type { GateSpec } from '../../evals/gate/model.ts';
import { junitReport, markdownReport, sarifReport, shownNumber, terminalReport } from '../../evals/gate/report-forms.ts';
import { defineCommand } from '../../kernel/commands.ts';
import { PlimsollError } from '../../kernel/errors.ts';
import type { CliContext } from '../cli.ts';
import { comparedRun, isJudged, remarksOn } from '../eval-gate.ts';
import { prepareSuite, RUN_OPTIONS } from '../eval-options.ts';
import { runEval } from '../eval-run.ts';

const EXIT = { pass: 0, regressed: 2, 'not enough evidence': 3 } as const;

function forecastText(forecasts: readonly GateForecast[]): string {
  return forecasts
    .map(({ metric, margin, cases, detectableDrop, casesNeeded, basis }) =>
      detectableDrop === null
        ? `${metric}: nothing can be told, ${basis}.`
        : `${metric}: with ${cases} cases a drop of ${shownNumber(detectableDrop)} is found (power 80 %); to show a margin of ${margin} takes about ${casesNeeded} cases (${basis}).`,
    )
    .join('\n');
}

function writeReport(path: string, make: () => string): void {
  try {
    writeFileSync(path, make());
  } catch (cause) {
    throw new PlimsollError('invalid_argument', `Cannot write ${path}: ${(cause as Error).message}`, { cause });
  }
}

export default defineCommand<CliContext>()({
  name: 'gate',
  summary: 'Compare a new version with a baseline run, paired and by slice: pass, regressed, or not enough evidence',
  example: 'plimsoll gate evals/support.yaml --baseline 019aa… --margin 0.03 --markdown gate.md',
  options: z.strictObject({
    suite: z.string().describe('Path, or the name of a file in evals/'),
    baseline: z.string().describe('Id of the run to compare with'),
    candidate: z.string().optional().describe('Id of a run that is done; left out = the suite is run now'),
    margin: z.coerce.number().positive().optional().describe('A drop up to this does no harm; left out = as the suite says, 0.03 without'),
    slice: z.array(z.string()).default([]).describe('One more slice to compare on its own; may be repeated'),
    junit: z.string().optional().describe('Write JUnit XML here'),
    sarif: z.string().optional().describe('Write SARIF 2.1.0 here'),
    markdown: z.string().optional().describe('Write Markdown here, for a pull-request comment'),
    ...RUN_OPTIONS,
  }),
  positionals: ['suite'],
  exitCodes: {
    0: 'pass: a drop of more than the margin is ruled out',
    1: 'could not run',
    2: 'regressed',
    3: 'not enough evidence',
  },
  async run({ options, output, context, signal }) {
    const { opened, suite, estimate } = await prepareSuite(options.suite, options, output, context);
    const asked: GateSpec = {
      ...opened.gate,
      metrics: opened.gate.metrics.map((metric) => ({ ...metric, margin: options.margin ?? metric.margin })),
      slices: [...new Set([...opened.gate.slices, ...options.slice])],
    };
    const { spec, remarks } = withoutJudgedBlocks(asked, suite, isJudged);
    const baseline = await comparedRun(options.baseline, spec, context);
    const forecasts = forecastGate(baseline.cases, spec, suite.repeats);
    assertMeasured(forecasts);
    output.note(forecastText(forecasts));
    let id = options.candidate;
    if (id === undefined) {
      const summary = await runEval(
        {
          suite,
          file: opened.path,
          resume: null,
          maxCostUsd: options.maxCost ?? null,
          usesCache: options.cache,
          embedder: options.embedder ?? null,
          attempts: options.attempts,
          gateway: options.gateway ?? null,
          dearestPicoUsd: estimate.dearestPicoUsd,
        },
        context,
        output,
        signal,
      );
      if (summary.stopped !== null)
        throw new PlimsollError(
          'conflict',
          `The run was stopped before its end: ${summary.stopped.reason} Go on with "plimsoll eval run ${options.suite} --resume ${summary.id}", then give --candidate ${summary.id}`,
        );
      id = summary.id;
    }
    const candidate = await comparedRun(id, spec, context);
    const report = decideGate(baseline.cases, candidate.cases, spec);
    const head = {
      suite: suite.name,
      baseline: baseline.header.id,
      candidate: candidate.header.id,
      file: opened.path,
      remarks: [...remarks, ...remarksOn(baseline.header, candidate.header)],
    };
    if (options.junit !== undefined) writeReport(options.junit, () => junitReport(report, head));
    if (options.sarif !== undefined) writeReport(options.sarif, () => `${JSON.stringify(sarifReport(report, head), null, 2)}\n`);
    if (options.markdown !== undefined) writeReport(options.markdown, () => markdownReport(report, head));
    output.print(terminalReport(report, head, output.columns), { ...head, ...report, forecasts });
    return EXIT[report.verdict];
  },
});
