import { writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { compactCase } from '../../datasets/model.ts';
import { withVersion } from '../../datasets/working-copy.ts';
import { defineCommand } from '../../kernel/commands.ts';
import { PlimsollError } from '../../kernel/errors.ts';
import type { CliContext } from '../cli.ts';
import { datasetPath, datasetReference, localCopy, type SaveAnswer, savedText } from '../dataset-client.ts';

export default defineCommand<CliContext>()({
  name: 'datasets push',
  summary:
    'Make the next version of a dataset from a file: our YAML (all that is open), or cases to add (JSONL, CSV, promptfoo, Ragas, DeepEval)',
  example: 'plimsoll datasets push datasets/support.yaml --message "Refunds after 30 days"',
  options: z.strictObject({
    file: z.string().describe('.yaml, .yml, .jsonl, .json or .csv'),
    to: z.string().optional().describe('Name of the dataset; that of the file when left out'),
    message: z.string().default('').describe('What was changed, for people'),
  }),
  positionals: ['file'],
  async run({ options, output, context }) {
    const copy = await localCopy(options.file);
    if (copy === null) throw new PlimsollError('not_found', `There is no file ${options.file}`);
    const fromPath = copy.isOwn ? /([^/\\]+)\.ya?ml$/i.exec(options.file)?.[1] : undefined;
    const target = options.to ?? copy.name ?? fromPath;
    if (target === undefined) throw new PlimsollError('invalid_argument', `${options.file} names no dataset; say which: --to support`);
    const { name } = datasetReference(target);
    if (copy.cases.length === 0)
      throw new PlimsollError(
        'invalid_argument',
        `${options.file} holds no cases; archive the dataset instead: plimsoll datasets archive ${name}`,
      );
    const cases = copy.cases.map(compactCase);
    const whole = copy.isOwn ? { mode: 'replace', parent: copy.version } : { mode: 'merge' };
    const saved = await context.client.call<SaveAnswer>('POST', `${datasetPath(name)}/cases`, {
      body: { cases, ...whole, message: options.message === '' ? `Push of ${options.file}` : options.message },
    });
    if (copy.isOwn && copy.version !== saved.version) await writeFile(options.file, withVersion(copy, name, saved.version));
    const answer = { ...saved, repeated: copy.repeated, warnings: copy.warnings };
    output.print(savedText(answer), answer);
    return 0;
  },
});
