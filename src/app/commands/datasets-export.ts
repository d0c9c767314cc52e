import { writeFile } from 'node:fs/promises';
import { text as readText } from 'node:stream/consumers';
import { z } from 'zod';
import { ExportFormat, writeCases } from '../../datasets/formats/write-cases.ts';
import type { EvalCase } from '../../datasets/model.ts';
import { defineCommand } from '../../kernel/commands.ts';
import type { CliContext } from '../cli.ts';
import { datasetPath, datasetReference } from '../dataset-client.ts';
import { countOf } from '../format.ts';

export default defineCommand<CliContext>()({
  name: 'datasets export',
  summary: 'Open cases of a version as a file: yaml, jsonl, csv, promptfoo, ragas or deepeval',
  example: 'plimsoll datasets export support@3 --format csv --out support.csv',
  options: z.strictObject({
    dataset: z.string().describe('Name, or name@version'),
    format: ExportFormat.default('yaml').describe(
      'yaml, jsonl, csv, promptfoo: nothing is lost; ragas, deepeval: what they have columns for',
    ),
    out: z.string().optional().describe('File to write; standard output when left out'),
    openHoldout: z.string().optional().describe('Break the seal and export the holdout instead; why, which is counted and shown for good'),
  }),
  positionals: ['dataset'],
  async run({ options, output, context }) {
    const { format, out, openHoldout } = options;
    const { name, version } = datasetReference(options.dataset);
    let text: string;
    let remark: string;
    if (openHoldout === undefined) {
      const { source, headers } = await context.client.file(`${datasetPath(name)}/export`, { version, format });
      text = await readText(source);
      const sealed = Number(headers.get('x-plimsoll-sealed-cases') ?? 0);
      remark = sealed === 0 ? '' : `${countOf(sealed, 'sealed case')} not in it.`;
    } else {
      const body = { reason: openHoldout, ...(version === undefined ? {} : { version }) };
      const opened = await context.client.call<{ version: number; holdoutOpenings: number; cases: EvalCase[] }>(
        'POST',
        `${datasetPath(name)}/holdout-openings`,
        { body },
      );
      text = writeCases(opened.cases, format, { name, version: opened.version });
      remark = `The holdout of ${name} was opened: ${countOf(opened.cases.length, 'case')}, opening ${opened.holdoutOpenings}.`;
    }
    if (out === undefined) output.print(text.trimEnd(), { format, text });
    else {
      await writeFile(out, text);
      output.print(`${out} written.`, { file: out, format });
    }
    if (remark !== '') output.note(remark);
    return 0;
  },
});
