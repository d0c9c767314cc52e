import { z } from 'zod';
import { countItems } from '../evals/runner/run-plan.ts';
import type { Suite } from '../evals/suite.ts';
import type { CommandOutput } from '../kernel/commands.ts';
import { PlimsollError } from '../kernel/errors.ts';
import type { CliContext } from './cli.ts';
import { type CostEstimate, estimateCost, readCatalogue } from './eval-estimate.ts';
import { findingsText, type OpenedSuite, openSuite, parseModelMap } from './eval-suite.ts';
import { formatCost } from './format.ts';

/** Options that every command which runs a suite has. */
export const RUN_OPTIONS = {
  map: z.array(z.string()).default([]).describe('What a provider id stands for, as "openai:gpt-4o=support"; may be repeated'),
  repeat: z.coerce.number().int().min(1).max(100).optional().describe('Answers per case; left out = as the suite says'),
  filter: z.string().optional().describe('Only cases whose description, id or variables contain this text'),
  first: z.coerce.number().int().min(1).optional().describe('Only so many cases'),
  concurrency: z.coerce.number().int().min(1).max(64).optional().describe('Most calls at a time; left out = found while running'),
  maxCost: z.coerce.number().positive().optional().describe('Ceiling in US dollars, judges included: no call begins that could pass it'),
  judge: z.string().optional().describe('Model or route that judges'),
  embedder: z.string().optional().describe('Model that makes vectors, for similarity'),
  gateway: z.string().optional().describe('URL of the gateway, where PLIMSOLL_URL is not one'),
  cache: z.boolean().default(false).describe('Let the first repeat be answered by the feature’s cache'),
  attempts: z.coerce.number().int().min(1).max(10).default(4).describe('Tries of a call that ends in an error that may pass'),
} as const;

export type RunOptions = z.output<z.ZodObject<typeof RUN_OPTIONS>>;

export interface PreparedSuite {
  readonly opened: OpenedSuite;
  readonly suite: Suite;
  readonly estimate: CostEstimate;
}

/**
 * Opens a suite, tells what is to be told of it, and says what it will cost.
 * @throws PlimsollError `invalid_argument` when something in it is not supported: the list says what
 */
export async function prepareSuite(name: string, options: RunOptions, output: CommandOutput, context: CliContext): Promise<PreparedSuite> {
  const catalogue = await readCatalogue(context);
  const opened = openSuite(name, catalogue?.names ?? null, parseModelMap(options.map));
  if (opened.suite === null)
    throw new PlimsollError('invalid_argument', `${opened.path} asks for what is not supported:\n${findingsText(opened.findings.all)}`, {
      details: { findings: opened.findings.all },
    });
  const text = findingsText(opened.findings.all.filter(({ severity }) => severity === 'warning'));
  if (text !== '') output.note(text);
  const suite = narrowed(opened.suite, options);
  const total = countItems(suite);
  const estimate = estimateCost(suite, total, catalogue);
  output.note(
    estimate.picoUsd === null
      ? `Cost before start: unmeasured, ${estimate.basis}.`
      : `Cost before start: about ${formatCost(`${estimate.picoUsd}`, 0)} for ${total} answers (${estimate.basis}).`,
  );
  return { opened, suite, estimate };
}

function narrowed(suite: Suite, { repeat, filter, first, concurrency, judge }: RunOptions): Suite {
  const wanted = filter?.toLowerCase();
  const cases = suite.cases.filter(
    ({ id, description, variables }) =>
      wanted === undefined || `${id}\n${description ?? ''}\n${JSON.stringify(variables)}`.toLowerCase().includes(wanted),
  );
  return {
    ...suite,
    cases: first === undefined ? cases : cases.slice(0, first),
    repeats: repeat ?? suite.repeats,
    concurrency: concurrency ?? suite.concurrency,
    judge: judge ?? suite.judge,
  };
}
