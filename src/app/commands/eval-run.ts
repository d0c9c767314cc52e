import { writeFileSync } from 'node:fs';
import { z } from 'zod';
import { RunDirectory } from '../../evals/runner/run-directory.ts';
import { defineCommand } from '../../kernel/commands.ts';
import type { CliContext } from '../cli.ts';
import { prepareSuite, RUN_OPTIONS } from '../eval-options.ts';
import { evalsFolder, runEval } from '../eval-run.ts';
import { summaryText } from '../eval-text.ts';

const EXIT_FAILED = 2;
const EXIT_NOT_TOLD = 3;

export default defineCommand<CliContext>()({
  name: 'eval run',
  summary: 'Run a suite or a promptfooconfig.yaml: prompts × targets × cases × repeats through the gateway',
  example: 'plimsoll eval run promptfooconfig.yaml --map "openai:gpt-4o=support" --repeat 3 --max-cost 2',
  options: z.strictObject({
    suite: z.string().describe('Path, or the name of a file in evals/'),
    ...RUN_OPTIONS,
    resume: z.string().optional().describe('Id of a run to go on with: what is answered is neither asked nor paid for again'),
    output: z.string().optional().describe('Also write the rows here, as JSON lines'),
  }),
  positionals: ['suite'],
  exitCodes: {
    0: 'every case passed',
    [EXIT_FAILED]: 'a case failed',
    [EXIT_NOT_TOLD]: 'none failed, but some could not be told (errors, or the run was stopped)',
  },
  async run({ options, output, context, signal }) {
    const { opened, suite, estimate } = await prepareSuite(options.suite, options, output, context);
    const summary = await runEval(
      {
        suite,
        file: opened.path,
        resume: options.resume ?? null,
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
    if (options.output !== undefined) {
      const lines: string[] = [];
      for await (const row of new RunDirectory(evalsFolder(context), summary.id).rows()) lines.push(`${JSON.stringify(row)}\n`);
      writeFileSync(options.output, lines.join(''));
    }
    output.print(summaryText(summary), summary);
    if (summary.cells.some(({ failed }) => failed > 0)) return EXIT_FAILED;
    return summary.state === 'complete' && summary.cells.every(({ errors, unmeasured }) => errors + unmeasured === 0) ? 0 : EXIT_NOT_TOLD;
  },
});
