import { z } from 'zod';
import { decideGate } from '../../evals/gate/decide.ts';
import { DEFAULT_GATE, type GateSpec } from '../../evals/gate/model.ts';
import { terminalReport } from '../../evals/gate/report-forms.ts';
import { defineCommand } from '../../kernel/commands.ts';
import type { CliContext } from '../cli.ts';
import { comparedRun, remarksOn } from '../eval-gate.ts';

export default defineCommand<CliContext>()({
  name: 'eval compare',
  summary: 'Compare two eval runs case by case, with intervals; the exit code says nothing of the verdict (see: plimsoll gate)',
  example: 'plimsoll eval compare 019aa… 019ab… --slice language',
  options: z.strictObject({
    before: z.string().describe('Id of the earlier run'),
    after: z.string().describe('Id of the later run'),
    metric: z.array(z.string()).default(['pass']).describe('pass, score or a metric that assertions name; may be repeated'),
    slice: z.array(z.string()).default([]).describe('Metadata by which cases are also compared on their own; may be repeated'),
    margin: z.coerce.number().positive().default(0.03).describe('A drop up to this does no harm'),
  }),
  positionals: ['before', 'after'],
  async run({ options, output, context }) {
    const metrics = options.metric.map((name) => ({
      name,
      direction: 'higher' as const,
      margin: options.margin,
      range: 1,
      threshold: null,
    }));
    const spec: GateSpec = { ...DEFAULT_GATE, metrics, slices: options.slice };
    const [before, after] = [await comparedRun(options.before, spec, context), await comparedRun(options.after, spec, context)];
    const report = decideGate(before.cases, after.cases, spec);
    const head = {
      suite: after.header.suite,
      baseline: before.header.id,
      candidate: after.header.id,
      file: after.header.file,
      remarks: remarksOn(before.header, after.header),
    };
    output.print(terminalReport(report, head, output.columns), { ...head, ...report });
    return 0;
  },
});
