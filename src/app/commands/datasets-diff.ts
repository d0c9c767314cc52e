import { z } from 'zod';
import { diffCases } from '../../datasets/membership.ts';
import { parseCaseReference } from '../../datasets/source.ts';
import { compareCopy, diffLines } from '../../datasets/working-copy.ts';
import { defineCommand } from '../../kernel/commands.ts';
import { PlimsollError } from '../../kernel/errors.ts';
import type { ApiClient } from '../api-client.ts';
import type { CliContext } from '../cli.ts';
import { caseTitle, localCopy, remoteCases } from '../dataset-client.ts';
import { countOf } from '../format.ts';

async function versionOf(client: ApiClient, reference: string) {
  const parsed = parseCaseReference(reference);
  if (parsed.kind === 'file') {
    const copy = await localCopy(parsed.path);
    if (copy === null) throw new PlimsollError('not_found', `There is no file ${parsed.path}`);
    return { label: parsed.path, name: copy.name, copy, cases: copy.cases };
  }
  const remote = await remoteCases(client, parsed.name, parsed.version ?? undefined);
  if (remote === null) throw new PlimsollError('not_found', `There is no dataset ${parsed.name}; see: plimsoll datasets`);
  return { label: `${parsed.name}@${remote.version}`, name: parsed.name, copy: null, cases: remote.cases };
}

export default defineCommand<CliContext>()({
  name: 'datasets diff',
  summary: 'What differs between a file and its dataset, two versions, or two files: cases added, removed and changed',
  example: 'plimsoll datasets diff datasets/support.yaml',
  options: z.strictObject({
    from: z.string().describe('File, name or name@version'),
    to: z.string().optional().describe('As well; for a file, its dataset when left out; for name@version, the newest'),
  }),
  positionals: ['from', 'to'],
  exitCodes: { 0: 'no difference', 2: 'they differ' },
  async run({ options, output, context }) {
    const first = await versionOf(context.client, options.from);
    if (options.to === undefined && first.name === null)
      throw new PlimsollError(
        'invalid_argument',
        `${options.from} names no dataset to compare with; say which: plimsoll datasets diff ${options.from} <name>`,
      );
    const second = await versionOf(context.client, options.to ?? first.name ?? '');
    // A file against its dataset reads as what a push would do.
    const isPush = first.copy !== null && second.copy === null;
    const [before, after] = isPush ? [second, first] : [first, second];
    const diff = diffCases(before.cases, after.cases);
    const lines = diffLines(diff, caseTitle);
    let state: string | null = null;
    if (isPush && first.copy !== null && second.name !== null && first.copy.version > 0) {
      const base = await remoteCases(context.client, second.name, first.copy.version);
      state = compareCopy(first.cases, base?.cases ?? null, second.cases);
    }
    const remark =
      state === 'diverged'
        ? ['', 'Both were changed: neither pull nor push overwrites the other.']
        : state === 'behind'
          ? ['', 'Only the dataset was changed: pull.']
          : [];
    const head = `${before.label} → ${after.label}: ${countOf(diff.added.length, 'case')} added, ${diff.changed.length} changed, ${diff.removed.length} removed`;
    output.print(
      lines.length === 0 ? `${before.label} and ${after.label} hold the same cases.` : [head, '', ...lines, ...remark].join('\n'),
      {
        from: before.label,
        to: after.label,
        state,
        ...diff,
      },
    );
    return lines.length === 0 ? 0 : 2;
  },
});
