import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { writeYaml } from '../../datasets/formats/write-cases.ts';
import { compareCopy, withVersion } from '../../datasets/working-copy.ts';
import { defineCommand } from '../../kernel/commands.ts';
import { PlimsollError } from '../../kernel/errors.ts';
import type { CliContext } from '../cli.ts';
import { datasetReference, localCopy, remoteCases } from '../dataset-client.ts';
import { countOf } from '../format.ts';

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const part = `${path}.part`;
  await writeFile(part, text);
  await rename(part, path);
}

export default defineCommand<CliContext>()({
  name: 'datasets pull',
  summary: 'Write the newest version of a dataset into the project; changes of the file are never overwritten',
  example: 'plimsoll datasets pull support',
  options: z.strictObject({
    dataset: z.string().describe('Name'),
    file: z.string().optional().describe('datasets/<name>.yaml when left out'),
  }),
  positionals: ['dataset'],
  async run({ options, output, context }) {
    const { name } = datasetReference(options.dataset);
    const path = options.file ?? `datasets/${name}.yaml`;
    const remote = await remoteCases(context.client, name);
    if (remote === null) throw new PlimsollError('not_found', `There is no dataset ${name}; see: plimsoll datasets`);
    const { version, cases, sealedCases } = remote;
    const sealed = sealedCases === 0 ? '' : ` ${countOf(sealedCases, 'sealed case')} stay on the server.`;
    const copy = await localCopy(path);
    if (copy !== null) {
      if (!copy.isOwn || (copy.name !== null && copy.name !== name))
        throw new PlimsollError(
          'conflict',
          `${path} holds ${copy.name === null ? 'cases in another form' : `the dataset ${copy.name}`}; name another --file. Nothing was written`,
        );
      const base = copy.version > 0 && copy.version <= version ? await remoteCases(context.client, name, copy.version) : null;
      const state = compareCopy(copy.cases, base?.cases ?? null, cases);
      if (state === 'same') {
        if (copy.version !== version) await write(path, withVersion(copy, name, version));
        output.print(`${path} is ${name}@${version} already.${sealed}`, { path, version, state });
        return 0;
      }
      if (state !== 'behind') {
        const why =
          state === 'ahead'
            ? 'holds changes that were not pushed'
            : `was changed since version ${copy.version}, and so was the dataset (now version ${version})`;
        throw new PlimsollError(
          'conflict',
          `${path} ${why}. Look at "plimsoll datasets diff ${path}"; ${state === 'ahead' ? 'push it' : 'move the file away, pull, and bring your changes in'}. Nothing was written`,
          {
            details: { path, state, version, fileVersion: copy.version },
          },
        );
      }
    }
    await write(path, writeYaml(cases, { name, version }));
    output.print(`${path}: ${name}@${version}, ${countOf(cases.length, 'case')}.${sealed}`, {
      path,
      version,
      state: 'pulled',
      cases: cases.length,
      sealedCases,
    });
    return 0;
  },
});
