import { PlimsollError } from '../../kernel/errors.ts';
import type { TemplateObject } from '../../prompts/templates/values.ts';
import type { Suite } from '../suite.ts';
import { Findings } from './findings.ts';
import { dereference, type Located, member, numberOf, plain, readLocated, textOf } from './located.ts';
import type { AssertionReading, KnownScorers } from './read-assertions.ts';
import { readPrompts } from './read-prompts.ts';
import { type ModelResolver, readProviders } from './read-providers.ts';
import { readTests } from './read-tests.ts';
import { CODE, kindOf, type SuiteFiles } from './suite-files.ts';

const READ = [
  'description',
  'prompts',
  'providers',
  'targets',
  'tests',
  'scenarios',
  'defaultTest',
  'evaluateOptions',
  'env',
  'assertionTemplates',
];
/** They change no verdict. */
const WITHOUT_EFFECT = ['tags', 'metadata', 'sharing', 'outputPath', 'writeLatestResults', 'commandLineOptions', '$schema'];
const REASONS: Readonly<Record<string, string>> = {
  redteam: 'red teams are `plimsoll redteam`',
  extensions: 'extensions are programs',
  nunjucksFilters: 'filters of one’s own are programs',
  derivedMetrics: 'metrics are derived in a suite file of Plimsoll',
  tracing: 'traces come from the gateway',
};
const EVALUATE_READ = ['repeat', 'maxConcurrency', 'delay', 'cache', 'showProgressBar', 'generateSuggestions'];

export interface ConfigReading {
  readonly files: SuiteFiles;
  readonly scorers: KnownScorers;
  readonly resolve: ModelResolver;
}

export interface ReadConfig {
  /** Null when anything was refused. */
  readonly suite: Suite | null;
  readonly findings: Findings;
}

/**
 * Reads a `promptfooconfig.yaml` (or `.json`). What we cannot do is refused with its place, never left out.
 * @param path as the user gave it: the beginning of each place
 * @throws PlimsollError `invalid_argument` when the file is no YAML, or a program
 */
export function readPromptfooConfig(text: string, path: string, { files, scorers, resolve }: ConfigReading): ReadConfig {
  if (CODE.has(kindOf(path)))
    throw new PlimsollError(
      'invalid_argument',
      `${path} is a program; only configurations in YAML or JSON are read, since nothing of a suite is run outside a sandbox`,
    );
  const findings = new Findings();
  const root = dereference(readLocated(text, path));
  if (root.kind !== 'map') throw new PlimsollError('invalid_argument', `${path}:1:1: the file holds no configuration`);
  for (const key of WITHOUT_EFFECT) {
    const found = root.members.get(key);
    if (found !== undefined && key !== '$schema') findings.note(found.keyPlace, `"${key}" has no effect here`);
  }
  findings.onlyKnown(root, 'key', [...READ, ...WITHOUT_EFFECT, ...[...root.members.keys()].filter((key) => key.startsWith('x-'))], REASONS);
  const reading: AssertionReading = { files, findings, resolve, scorers, known: new WeakMap() };
  const environment = environmentOf(member(root, 'env'));
  const prompts = readPrompts(member(root, 'prompts'), files, findings);
  const providers = readProviders(member(root, 'targets') ?? member(root, 'providers'), reading);
  if (member(root, 'prompts') === undefined) findings.refuse(root.place, 'the configuration has no "prompts"');
  if (member(root, 'targets') === undefined && member(root, 'providers') === undefined)
    findings.refuse(root.place, 'the configuration has no "providers" (or "targets")');
  const cases = readTests(
    { tests: member(root, 'tests'), scenarios: member(root, 'scenarios'), defaultTest: member(root, 'defaultTest') },
    environment,
    reading,
  );
  const options = member(root, 'evaluateOptions');
  if (options?.kind === 'map')
    findings.onlyKnown(options, 'evaluateOptions', EVALUATE_READ, {
      timeoutMs: 'timeouts are set in plimsoll.yaml',
      maxEvalTimeMs: 'use --max-cost, or stop and resume',
    });
  const cacheNode = options && member(options, 'cache');
  if (cacheNode?.kind === 'scalar' && cacheNode.value === true)
    findings.note(cacheNode.place, 'answers are kept per repeat, so that repeats are real; a run is resumed, not cached');
  const description = textOf(member(root, 'description'));
  const delayMs = Math.max(numberOf(options && member(options, 'delay')) ?? 0, ...providers.map((provider) => provider.delayMs), 0);
  const suite: Suite = {
    name: description ?? path,
    feature: null,
    prompts,
    targets: providers.map(({ target }) => target),
    cases,
    repeats: Math.max(1, Math.trunc(numberOf(options && member(options, 'repeat')) ?? 1)),
    concurrency: numberOf(options && member(options, 'maxConcurrency')) ?? null,
    delayMs,
    judge: null,
  };
  if (!cases.some(({ assertions }) => assertions.length > 0)) findings.warn(root.place, 'no case has an assertion: all of them pass');
  return { suite: findings.isRefused ? null : suite, findings };
}

/** Only what the file itself gives: a prompt that could read the process's variables could send its secrets. */
function environmentOf(node: Located | undefined): TemplateObject {
  return node?.kind === 'map' ? (plain(node) as TemplateObject) : {}; // a map is an object of JSON
}
