import { z } from 'zod';
import { PlimsollError } from '../kernel/errors.ts';
import { DEFAULT_GATE, type GateSpec } from './gate/model.ts';
import { Findings } from './promptfoo/findings.ts';
import { dereference, type Located, type LocatedMap, member, plain, readLocated } from './promptfoo/located.ts';
import { type AssertionReading, readAssertions } from './promptfoo/read-assertions.ts';
import { type ConfigReading, type ReadConfig, readPromptfooConfig } from './promptfoo/read-config.ts';
import { readPrompts } from './promptfoo/read-prompts.ts';
import { readProviders } from './promptfoo/read-providers.ts';
import { readTests } from './promptfoo/read-tests.ts';
import type { Suite, SuiteCase } from './suite.ts';

const DEFAULT_MARGIN = 0.03;

const MetricConfig = z.strictObject({
  direction: z.enum(['higher', 'lower']).default('higher').describe('Whether a larger value is better'),
  margin: z.number().positive().default(DEFAULT_MARGIN).describe('A drop up to this does no harm, in units of the metric'),
  threshold: z.number().optional().describe('The mean must be at least (lower is better: at most) this, judged where its interval ends'),
  range: z
    .number()
    .positive()
    .nullable()
    .default(1)
    .describe('Largest possible difference of two values; null = unbounded, such as a time'),
});

/** `evals/<name>.yaml`. Prompts, targets, cases and assertions are written as promptfoo has them. */
export const SuiteFile = z.strictObject({
  description: z.string().optional().describe('What is asked of the feature'),
  feature: z.string().optional().describe('Feature whose calls these are: its budget, limits and residency apply'),
  prompts: z.unknown().describe('Texts, file:// paths (.txt, .md, .json, .jsonl, .csv, .yaml) or objects with id or raw, and label'),
  targets: z.unknown().describe('Models or routes of the gateway, as ids or objects with id, label, config'),
  cases: z.unknown().describe('Cases, or file:// paths of YAML, JSON, JSONL or CSV'),
  assert: z.unknown().optional().describe('Assertions that every case has'),
  env: z.unknown().optional().describe('Values that templates read as env.NAME'),
  judge: z.string().optional().describe('Model or route that judges'),
  repeats: z.int().min(1).max(100).default(1).describe('Answers per case'),
  concurrency: z.int().min(1).max(64).optional().describe('Most calls at a time; found while running when absent'),
  slices: z.array(z.string()).default([]).describe('Variables or metadata by which cases are also compared on their own'),
  cluster: z.string().optional().describe('Variable or metadata that cases share which are not independent: a document, a conversation'),
  metrics: z
    .record(z.string(), MetricConfig)
    .default({})
    .describe('What the gate compares: pass, score, latencyMs, costUsd, or a metric named in an assertion; pass when empty'),
  gate: z
    .strictObject({
      alpha: z.number().gt(0).max(0.2).default(DEFAULT_GATE.alpha).describe('How often a version that did not change may be blocked'),
      minimumSliceCases: z.int().min(2).default(DEFAULT_GATE.minimumSliceCases).describe('Smaller slices are named, not tested'),
      maximumUnmeasured: z
        .number()
        .min(0)
        .max(1)
        .default(DEFAULT_GATE.maximumUnmeasured)
        .describe('With a larger share of cases that could not be compared, nothing passes'),
    })
    .prefault({}),
  schedule: z.string().optional().describe('When it runs by itself: a cron text in UTC'),
});

export interface ReadSuite extends ReadConfig {
  /** How the gate judges it. */
  readonly gate: GateSpec;
  readonly schedule: string | null;
}

/** Members that only our own file has. */
const OWN = ['feature', 'cases', 'metrics', 'gate', 'slices', 'cluster', 'repeats', 'schedule', 'judge', 'assert'];

/** Reads our own suite file or a promptfoo configuration, whichever it is. @throws PlimsollError `invalid_argument` with the place */
export function readSuite(text: string, path: string, reading: ConfigReading): ReadSuite {
  const isOwn = /\.(ya?ml|json)$/i.test(path) && OWN.some((key) => new RegExp(`^["']?${key}["']?\\s*:`, 'm').test(text));
  return isOwn
    ? readOwn(text, path, reading)
    : { ...readPromptfooConfig(text, path, reading), gate: gateOf({}, [], DEFAULT_GATE), schedule: null };
}

function readOwn(text: string, path: string, { files, scorers, resolve }: ConfigReading): ReadSuite {
  const root = dereference(readLocated(text, path));
  if (root.kind !== 'map') throw new PlimsollError('invalid_argument', `${path}:1:1: the file holds no suite`);
  const findings = new Findings();
  findings.onlyKnown(root, 'key', Object.keys(SuiteFile.shape), {
    providers: 'a suite of Plimsoll says "targets"',
    tests: 'a suite of Plimsoll says "cases"',
    defaultTest: 'a suite of Plimsoll says "assert"',
  });
  const parsed = SuiteFile.safeParse(plain(withoutUnknown(root)));
  if (!parsed.success) {
    for (const issue of parsed.error.issues) findings.refuse(placeOf(root, issue.path), `${issue.path.join('.')}: ${issue.message}`);
    return { suite: null, findings, gate: gateOf({}, [], DEFAULT_GATE), schedule: null };
  }
  const file = parsed.data;
  const assertions: AssertionReading = { files, findings, resolve, scorers, known: new WeakMap() };
  const prompts = readPrompts(member(root, 'prompts'), files, findings);
  const targets = readProviders(member(root, 'targets'), assertions);
  for (const key of ['prompts', 'targets', 'cases'])
    if (member(root, key) === undefined) findings.refuse(root.place, `the suite has no "${key}"`);
  const shared = readAssertions(member(root, 'assert'), assertions, null);
  const env = member(root, 'env');
  const environment = env?.kind === 'map' ? (plain(env) as Readonly<Record<string, string>>) : {}; // a map is an object
  const cases = readTests({ tests: member(root, 'cases') }, environment, assertions).map((entry) => ({
    ...withGroups(entry, file.slices, file.cluster ?? null),
    assertions: [...shared, ...entry.assertions],
  }));
  for (const slice of file.slices)
    if (!cases.some(({ slices }) => Object.hasOwn(slices, slice)))
      findings.refuse(member(root, 'slices')?.place ?? root.place, `no case has a variable or metadata "${slice}"`);
  const suite: Suite = {
    name: file.description ?? path,
    feature: file.feature ?? null,
    prompts,
    targets: targets.map(({ target }) => target),
    cases,
    repeats: file.repeats,
    concurrency: file.concurrency ?? null,
    delayMs: Math.max(0, ...targets.map(({ delayMs }) => delayMs)),
    judge: file.judge ?? null,
  };
  return {
    suite: findings.isRefused ? null : suite,
    findings,
    gate: gateOf(file.metrics, file.slices, file.gate),
    schedule: file.schedule ?? null,
  };
}

function gateOf(
  metrics: Readonly<Record<string, z.output<typeof MetricConfig>>>,
  slices: readonly string[],
  settings: Omit<GateSpec, 'metrics' | 'slices'>,
): GateSpec {
  const named = Object.entries(metrics).map(([name, { direction, margin, range, threshold }]) => ({
    name,
    direction,
    margin,
    range: name === 'latencyMs' || name === 'costUsd' ? null : range,
    threshold: threshold ?? null,
  }));
  const pass = { name: 'pass', direction: 'higher' as const, margin: DEFAULT_MARGIN, range: 1, threshold: null };
  return { ...settings, slices, metrics: named.length === 0 ? [pass] : named };
}

/** Slices and cluster of a case by the names that the suite gives: of its metadata, else of its variables. */
function withGroups(entry: SuiteCase, names: readonly string[], cluster: string | null): SuiteCase {
  const groupOf = (name: string): string | undefined => {
    const value = Object.hasOwn(entry.slices, name)
      ? entry.slices[name]
      : Object.hasOwn(entry.variables, name)
        ? entry.variables[name]
        : undefined;
    return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
  };
  const slices = Object.fromEntries(names.flatMap((name) => (groupOf(name) === undefined ? [] : [[name, groupOf(name) ?? '']])));
  return { ...entry, slices, cluster: cluster === null ? entry.cluster : (groupOf(cluster) ?? entry.cluster) };
}

/** Unknown members are refused with their place already. */
function withoutUnknown(root: LocatedMap): Located {
  return { ...root, members: new Map([...root.members].filter(([key]) => Object.hasOwn(SuiteFile.shape, key))) };
}

function placeOf(root: Located, path: readonly PropertyKey[]): string {
  let node = root;
  for (const key of path) node = (node.kind === 'list' ? node.items[Number(key)] : member(node, String(key))) ?? node;
  return node.place;
}
