import { z } from 'zod';
import { countItems } from '../../evals/runner/run-plan.ts';
import { defineCommand } from '../../kernel/commands.ts';
import type { CliContext } from '../cli.ts';
import { readCatalogue } from '../eval-estimate.ts';
import { findingsText, openSuite, parseModelMap } from '../eval-suite.ts';
import { formatCount } from '../format.ts';

const EXIT_REFUSED = 2;

export default defineCommand<CliContext>()({
  name: 'eval check',
  summary: 'Say what of a suite or a promptfooconfig.yaml is supported, with file, line and column; nothing is called',
  example: 'plimsoll eval check promptfooconfig.yaml',
  options: z.strictObject({
    suite: z.string().describe('Path, or the name of a file in evals/'),
    map: z.array(z.string()).default([]).describe('What a provider id stands for, as "openai:gpt-4o=support"; may be repeated'),
    anyModel: z.boolean().default(false).describe('Take every model as known: only the form is checked'),
  }),
  positionals: ['suite'],
  exitCodes: { 0: 'it can be run', [EXIT_REFUSED]: 'something in it is not supported' },
  async run({ options, output, context }) {
    const catalogue = options.anyModel ? null : await readCatalogue(context);
    const { suite, findings, path, gate, schedule } = openSuite(options.suite, catalogue?.names ?? null, parseModelMap(options.map));
    const refused = findings.all.filter(({ severity }) => severity === 'refused').length;
    const size =
      suite === null
        ? `${refused} of its members are not supported`
        : `${formatCount(suite.prompts.length)} prompts × ${formatCount(suite.targets.length)} targets × ${formatCount(suite.cases.length)} cases × ${suite.repeats} = ${formatCount(countItems(suite))} answers`;
    const text = findingsText(findings.all);
    output.print(`${text === '' ? '' : `${text}\n\n`}${path}: ${size}`, {
      path,
      isSupported: suite !== null,
      findings: findings.all,
      prompts: suite?.prompts.map(({ label, hash }) => ({ label, hash })) ?? [],
      targets: suite?.targets ?? [],
      cases: suite?.cases.length ?? null,
      gate,
      schedule,
    });
    return suite === null ? EXIT_REFUSED : 0;
  },
});
