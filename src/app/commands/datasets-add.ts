import { z } from 'zod';
import { type CaseDraft, readCase } from '../../datasets/model.ts';
import type { Redaction } from '../../datasets/redact.ts';
import { defineCommand } from '../../kernel/commands.ts';
import { PlimsollError } from '../../kernel/errors.ts';
import type { CliContext } from '../cli.ts';
import { caseTitle, datasetPath, datasetReference, type SaveAnswer, savedText } from '../dataset-client.ts';
import { countOf, parsePeriod } from '../format.ts';

interface Drafts {
  readonly drafts: readonly { readonly traceId: string; readonly draft: CaseDraft; readonly redactions: readonly Redaction[] }[];
  readonly skipped: readonly { readonly traceId: string; readonly reason: string }[];
}

/** `language=de` */
function slicesOf(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf('=');
      if (at < 1 || at === text.length - 1)
        throw new PlimsollError('invalid_argument', `--slice ${JSON.stringify(text)} is not name=value, such as language=de`);
      return [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}

export default defineCommand<CliContext>()({
  name: 'datasets add',
  summary: 'Make cases of traces, redacted and shown before they are saved; the same trace is the same case',
  example: 'plimsoll datasets add support --filter "feature=customer-support&status=error" --last 7d --tag regression',
  options: z.strictObject({
    dataset: z.string().describe('Name; a new one is made'),
    trace: z.array(z.string()).default([]).describe('Id of a trace; may be given several times'),
    span: z.string().optional().describe('Of the one trace: the span whose work is the case'),
    filter: z.string().optional().describe('Instead of --trace: filters of the Traces page, as in its URL: "feature=support&status=error"'),
    last: z.string().default('24h').describe('With --filter: period up to now'),
    limit: z.coerce.number().int().min(1).max(200).default(20).describe('With --filter: traces, the newest first'),
    tag: z.array(z.string()).default([]).describe('Tag of the cases; may be given several times'),
    slice: z.array(z.string()).default([]).describe('name=value, such as language=de; may be given several times'),
    expected: z.string().optional().describe('The right answer; the corrected answer of the feedback when left out'),
    noRedact: z.boolean().default(false).describe('Keep e-mail addresses, telephone and card numbers, IBANs and keys'),
    message: z.string().default('').describe('What was changed, for people'),
    yes: z.boolean().default(false).describe('Save without asking'),
  }),
  positionals: ['dataset'],
  async run({ options, output, context }) {
    const { trace, filter, span, expected } = options;
    const { name } = datasetReference(options.dataset);
    if ((trace.length === 0) === (filter === undefined))
      throw new PlimsollError('invalid_argument', 'Give --trace <id>, or --filter "feature=support&status=error"');
    if (span !== undefined && trace.length !== 1) throw new PlimsollError('invalid_argument', '--span needs exactly one --trace');
    const redact = options.noRedact ? 'false' : 'true';
    const ask = (query: Record<string, string | number | undefined>) =>
      context.client.call<Drafts>('GET', '/api/v1/case-drafts', { query: { ...query, redact } });
    const found =
      filter === undefined
        ? await Promise.all(trace.map((traceId) => ask({ traceId, spanId: span })))
        : [
            await ask({
              from: Date.now() - parsePeriod(options.last),
              ...Object.fromEntries(new URLSearchParams(filter)),
              limit: options.limit,
            }),
          ];
    const slices = slicesOf(options.slice);
    const drafts = found.flatMap(({ drafts: each }) => each);
    const cases = drafts.map(({ draft }) => ({
      ...draft,
      tags: [...(draft.tags ?? []), ...options.tag],
      slices: { ...draft.slices, ...slices },
      ...(expected === undefined ? {} : { expected: { ...draft.expected, answer: expected } }),
    }));
    for (const { traceId, reason } of found.flatMap(({ skipped }) => skipped)) output.note(`Skipped ${traceId}: ${reason}`);
    if (cases.length === 0) {
      output.print('No trace that matches can be a case; nothing was saved.', { saved: null, drafts: [] });
      return 0;
    }
    for (const [index, draft] of cases.entries()) {
      const redactions = drafts[index]?.redactions ?? [];
      const taken = redactions.length === 0 ? '' : `  redacted: ${redactions.map((each) => `${each.count} ${each.name}`).join(', ')}`;
      output.note(`${caseTitle(readCase(draft, 'draft'))}${draft.expected?.answer == null ? '' : '  → has an expected answer'}${taken}`);
    }
    if (!options.yes) {
      const answer = await output.ask(`Save ${countOf(cases.length, 'case')} to ${name}? (--yes saves without asking)`, 'yes');
      if (!/^y(es)?$/i.test(answer)) {
        output.print('Nothing was saved.', { saved: null, drafts: cases });
        return 0;
      }
    }
    const saved = await context.client.call<SaveAnswer>('POST', `${datasetPath(name)}/cases`, {
      body: { cases, mode: 'add', message: options.message },
    });
    output.print(savedText(saved), { saved, drafts: cases });
    return 0;
  },
});
