import { z } from 'zod';
import type { PartCounts } from '../../datasets/check.ts';
import type { EvalCase } from '../../datasets/model.ts';
import { defineCommand } from '../../kernel/commands.ts';
import type { CliContext } from '../cli.ts';
import { caseTitle, datasetPath, datasetReference } from '../dataset-client.ts';
import { formatCount, formatTime } from '../format.ts';

interface Page {
  readonly version: number;
  readonly cases: readonly (EvalCase & { readonly part: string })[];
  readonly matches: number;
  readonly parts: PartCounts;
  readonly nextCursor: number | null;
}

interface Detail {
  readonly versions: readonly {
    version: number;
    author: string;
    message: string;
    createdAt: number;
    caseCount: number;
    added: number;
    removed: number;
  }[];
  readonly openings: readonly { version: number | null; reason: string; openedBy: string; at: number }[];
}

export default defineCommand<CliContext>()({
  name: 'datasets show',
  summary: 'Cases of a dataset with its versions; what is sealed is only counted',
  example: 'plimsoll datasets show support@3 --tag refund',
  options: z.strictObject({
    dataset: z.string().describe('Name, or name@version'),
    q: z.string().optional().describe('Text anywhere in the case'),
    tag: z.string().optional().describe('Only cases with this tag'),
    slice: z.string().optional().describe('Only this slice: name=value'),
    part: z.enum(['train', 'dev', 'excluded']).optional().describe('Only this part of the split'),
    limit: z.coerce.number().int().min(1).max(200).default(20).describe('Cases'),
    cursor: z.coerce.number().int().optional().describe('nextCursor of the page before'),
  }),
  positionals: ['dataset'],
  async run({ options, output, context }) {
    const { dataset, ...filter } = options;
    const { name, version } = datasetReference(dataset);
    const detail = await context.client.call<Detail>('GET', datasetPath(name));
    const page = await context.client.call<Page>('GET', `${datasetPath(name)}/cases`, { query: { ...filter, version } });
    const { parts, matches, cases } = page;
    const sealed = parts.holdout === 0 ? '' : `, ${formatCount(parts.holdout)} sealed (opened ${detail.openings.length} times)`;
    const lines = [
      `${name}@${page.version}: ${formatCount(parts.train)} train, ${formatCount(parts.dev)} dev${sealed}${parts.excluded === 0 ? '' : `, ${formatCount(parts.excluded)} in no part`}`,
      '',
      ...cases.map((each) => `${caseTitle(each)}${each.tags.length === 0 ? '' : `  [${each.tags.join(', ')}]`}`),
      cases.length === 0 ? 'No open case matches.' : `${formatCount(cases.length)} of ${formatCount(matches)} open cases that match.`,
      '',
      ...detail.versions
        .slice(0, 10)
        .map(
          (each) =>
            `v${each.version}  ${formatTime(each.createdAt)}  ${each.author}  +${each.added} −${each.removed} = ${each.caseCount}  ${each.message}`,
        ),
      ...detail.openings.map((each) => `holdout opened ${formatTime(each.at)} by ${each.openedBy}: ${each.reason}`),
    ];
    output.print(lines.join('\n'), { ...page, versions: detail.versions, openings: detail.openings });
    if (page.nextCursor !== null) output.note(`More: add --cursor ${page.nextCursor}`);
    return 0;
  },
});
