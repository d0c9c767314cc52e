import { PlimsollError } from '../../kernel/errors.ts';
import { contentHash } from '../../kernel/ids.ts';
import { parseJsonText } from '../../kernel/parse-json.ts';
import type { TemplateObject } from '../../prompts/templates/values.ts';
import type { JsonValue } from '../scorer.ts';
import type { SuiteCase } from '../suite.ts';
import { readCsv } from './csv-rows.ts';
import { type Located, type LocatedMap, locate, member, numberOf, plain, readLocated, textOf } from './located.ts';
import { type AssertionReading, codeOf, readAssertions } from './read-assertions.ts';
import { modelOf } from './read-providers.ts';
import { combinations, readVariables } from './read-variables.ts';
import { CODE, filePath, hasPattern, kindOf } from './suite-files.ts';

const TEST_KEYS = ['vars', 'assert', 'options', 'threshold', 'description', 'metadata', 'providers', 'prompts', 'providerOutput'];
const TEST_REASONS: Readonly<Record<string, string>> = {
  provider: 'one test cannot bring a provider of its own; use "providers" to choose among those of the suite',
  assertScoringFunction: 'scoring functions are code',
};
const OPTION_KEYS = [
  'provider',
  'transform',
  'rubricPrompt',
  'prefix',
  'suffix',
  'disableVarExpansion',
  'disableConversationVar',
  'disableDefaultAsserts',
];
const OPTION_REASONS: Readonly<Record<string, string>> = {
  postprocess: 'it is called "transform" now',
  transformVars: 'variables are not computed; write them as they are',
  storeOutputAs: 'cases run independently of one another',
  runSerially: 'cases run independently of one another',
  repeat: 'repeats belong to evaluateOptions or --repeat',
};
const MAX_CASES = 200_000;
const NO_SLICES: Readonly<Record<string, string>> = {};

/** A test before its variables are multiplied out; `isWritten` = by the suite's author, not a row of data. */
interface TestDraft {
  readonly node: LocatedMap;
  readonly isWritten: boolean;
}

/** Reads `tests`, `scenarios` and `defaultTest` into cases. */
export function readTests(
  {
    tests,
    scenarios,
    defaultTest,
  }: { readonly tests?: Located | undefined; readonly scenarios?: Located | undefined; readonly defaultTest?: Located | undefined },
  environment: TemplateObject,
  reading: AssertionReading,
): SuiteCase[] {
  const { findings } = reading;
  const fallback = defaultTest === undefined ? null : mapOf(defaultTest, reading, 'defaultTest');
  const lists: TestDraft[][] = [];
  const base: TestDraft[] = fallback === null ? [] : [{ node: fallback, isWritten: true }];
  const cases: SuiteCase[] = [];
  const seen = new Map<string, number>();
  const hasWarned = { template: false };
  const add = (list: readonly TestDraft[]): void => {
    for (const made of casesOf([...base, ...list], base.length, environment, reading, hasWarned)) {
      if (cases.length >= MAX_CASES) throw new PlimsollError('invalid_argument', `The suite has more than ${MAX_CASES} cases`);
      const count = (seen.get(made.id) ?? 0) + 1;
      seen.set(made.id, count);
      cases.push(count === 1 ? made : { ...made, id: `${made.id}-${count}` });
    }
  };
  // One row at a time: of a large file only the cases stay.
  for (const draft of testsOf(tests, reading, 0)) add([draft]);
  for (const scenario of scenarios?.kind === 'list' ? scenarios.items : []) {
    if (scenario.kind !== 'map') {
      findings.refuse(scenario.place, 'a scenario is an object with "config" and "tests"');
      continue;
    }
    findings.onlyKnown(scenario, 'scenario key', ['config', 'tests', 'description']);
    const inner = [...testsOf(member(scenario, 'tests'), reading, 0)];
    for (const data of testsOf(member(scenario, 'config'), reading, 0))
      for (const test of inner.length === 0 ? [null] : inner) lists.push(test === null ? [data] : [data, test]);
  }
  if (lists.length === 0 && tests === undefined && scenarios === undefined) {
    // Without tests promptfoo asks each prompt once.
    const node = locate({}, defaultTest?.place ?? '') as LocatedMap; // an object was given
    lists.push([{ node, isWritten: true }]);
  }
  for (const list of lists) add(list);
  return cases;
}

function mapOf(node: Located, { files, findings }: AssertionReading, what: string): LocatedMap | null {
  const path = filePath(textOf(node) ?? '');
  const text = path === null || CODE.has(kindOf(path)) ? null : files.read(path);
  const found = path !== null && text !== null ? readLocated(text, path) : node;
  if (found.kind === 'map') return found;
  findings.refuse(node.place, path === null ? `${what} must be an object` : `the file "${path}" cannot be read as ${what}`);
  return null;
}

function* testsOf(node: Located | undefined, reading: AssertionReading, depth: number): Generator<TestDraft> {
  const { findings, files } = reading;
  if (node === undefined || (node.kind === 'scalar' && node.value === null)) return;
  if (node.kind === 'list') {
    for (const item of node.items) yield* testsOf(item, reading, depth);
    return;
  }
  if (node.kind === 'map') {
    const path = textOf(member(node, 'path'));
    if (path === undefined || member(node, 'vars') !== undefined) yield { node, isWritten: true };
    else findings.refuse(node.place, `tests from "${path}" with a configuration are not supported`);
    return;
  }
  const text = textOf(node) ?? '';
  const path = filePath(text) ?? text;
  if (/^(https?|huggingface|azureblob|s3|gs):/.test(text)) {
    findings.refuse(node.place, `tests from the network ("${text.slice(0, 40)}") are not supported; save them beside the suite`);
    return;
  }
  if (CODE.has(kindOf(path))) {
    findings.refuse(node.place, `"${path}" is a program: tests are read from data only (YAML, JSON, JSONL, CSV)`);
    return;
  }
  const found = hasPattern(path) ? files.find(path) : [path];
  if (found.length === 0) findings.refuse(node.place, `no file matches "${path}"`);
  for (const one of found) yield* fromFile(one, node.place, reading, depth);
}

function* fromFile(path: string, place: string, reading: AssertionReading, depth: number): Generator<TestDraft> {
  const text = depth > 3 ? null : reading.files.read(path);
  if (text === null) {
    reading.findings.refuse(place, `the file "${path}" cannot be read`);
    return;
  }
  switch (kindOf(path)) {
    case '.csv':
    case '.tsv':
      yield* csvTests(text, path, reading);
      return;
    case '.jsonl':
      yield* jsonLines(text, path, reading);
      return;
    default:
      for (const draft of testsOf(readLocated(text, path), reading, depth + 1)) yield { ...draft, isWritten: kindOf(path) !== '.json' };
  }
}

function* jsonLines(text: string, path: string, { findings }: AssertionReading): Generator<TestDraft> {
  let number = 0;
  for (let from = 0; from < text.length; ) {
    const end = text.indexOf('\n', from);
    const line = text.slice(from, end < 0 ? text.length : end);
    from = end < 0 ? text.length : end + 1;
    number++;
    if (line.trim() === '') continue;
    const at = `${path}:${number}:1`;
    try {
      const node = locate(parseJsonText(line) as JsonValue, at); // JSON
      if (node.kind === 'map') {
        yield { node, isWritten: false };
        continue;
      }
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
    findings.refuse(at, 'the line is not a JSON object');
  }
}

const CSV_COLUMN = /^__(expected\d*|prefix|suffix|description|metric|threshold|providerOutput|metadata:.+)$/;

function* csvTests(text: string, path: string, { findings }: AssertionReading): Generator<TestDraft> {
  let columns: string[] | null = null;
  for (const { cells, line } of readCsv(text, path, kindOf(path) === '.tsv' ? '\t' : ',')) {
    if (columns === null) {
      columns = cells.map((cell) => cell.trim());
      for (const column of columns)
        if (column.startsWith('__') && !CSV_COLUMN.test(column)) findings.refuse(`${path}:1:1`, `the column "${column}" is not supported`);
      continue;
    }
    // An object is given.
    yield { node: locate(testOfRow(columns, cells), `${path}:${line}:1`) as LocatedMap, isWritten: false };
  }
}

function testOfRow(columns: readonly string[], cells: readonly string[]): { readonly [name: string]: JsonValue } {
  const vars: Record<string, JsonValue> = {};
  const assertions: JsonValue[] = [];
  const options: Record<string, JsonValue> = {};
  const metadata: Record<string, JsonValue> = {};
  const test: Record<string, JsonValue> = {};
  for (const [index, column] of columns.entries()) {
    const cell = cells[index] ?? '';
    if (!column.startsWith('__')) vars[column] = cell;
    else if (cell.trim() === '') continue;
    else if (/^__expected\d*$/.test(column)) assertions.push(cell);
    else if (column === '__prefix' || column === '__suffix') options[column.slice(2)] = cell;
    else if (column === '__threshold') test.threshold = Number(cell);
    else if (column === '__description' || column === '__providerOutput') test[column.slice(2)] = cell;
    else if (column.startsWith('__metadata:')) metadata[column.slice('__metadata:'.length).replace('[]', '')] = cell;
  }
  const metric = cells[columns.indexOf('__metric')]?.trim();
  if (metric) test.metricOfRow = metric;
  return { ...test, vars, assert: assertions, options, metadata };
}

function* casesOf(
  drafts: readonly TestDraft[],
  defaults: number,
  environment: TemplateObject,
  reading: AssertionReading,
  hasWarned: { template: boolean },
): Generator<SuiteCase> {
  const { findings, files } = reading;
  const options = new Map<string, Located>();
  for (const { node } of drafts) {
    findings.onlyKnown(node, 'test key', [...TEST_KEYS, 'metricOfRow'], TEST_REASONS);
    const own = member(node, 'options');
    if (own?.kind !== 'map') continue;
    findings.onlyKnown(own, 'test option', OPTION_KEYS, OPTION_REASONS);
    for (const { key, value } of own.members.values()) options.set(key, value);
  }
  const last = (key: string): Located | undefined => drafts.map(({ node }) => member(node, key)).findLast((node) => node !== undefined);
  const option = (key: string): JsonValue | null => {
    const node = options.get(key);
    return node === undefined ? null : plain(node);
  };
  const judgeNode = options.get('provider');
  const judgeId = textOf(judgeNode) ?? textOf(judgeNode && member(judgeNode, 'id'));
  if (judgeNode !== undefined && judgeId === undefined)
    findings.warn(judgeNode.place, 'of "options.provider" only an id is read; judges and embedders by kind are chosen with --judge');
  const judge = judgeNode === undefined || judgeId === undefined ? null : (modelOf(judgeId, judgeNode.place, reading) ?? null);
  const variables = new Map(
    drafts.flatMap(({ node, isWritten }) => [
      ...readVariables(member(node, 'vars'), files, findings, { isWritten, isExpanded: option('disableVarExpansion') !== true }),
    ]),
  );
  if (!hasWarned.template)
    for (const [name, { values, isWritten, place }] of variables)
      if (!isWritten && values.some((value) => typeof value === 'string' && /\{\{|\{%/.test(value))) {
        hasWarned.template = true;
        findings.warn(place, `the variable "${name}" holds template syntax; values from data are never read as templates (promptfoo does)`);
      }
  const used = option('disableDefaultAsserts') === true ? drafts.slice(defaults) : drafts;
  const lists = used
    .map(({ node }) => readAssertions(member(node, 'assert'), reading, judge, option('rubricPrompt')))
    .filter((list) => list.length > 0);
  // Mostly they are all of defaultTest: then every case has the same list.
  const assertions = lists.length === 1 ? (lists[0] ?? []) : lists.flat();
  const rowMetric = textOf(last('metricOfRow'));
  const metadata = Object.assign({}, ...drafts.map(({ node }) => plainObject(member(node, 'metadata')))) as Record<string, JsonValue>; // of such
  const threshold = last('threshold');
  if (threshold !== undefined && !(numberOf(threshold) !== undefined)) findings.refuse(threshold.place, '"threshold" must be a number');
  const output = last('providerOutput');
  const common = {
    description: textOf(last('description')) ?? null,
    prefix: String(option('prefix') ?? ''),
    suffix: String(option('suffix') ?? ''),
    assertions: rowMetric === undefined ? assertions : assertions.map((entry) => ({ ...entry, metric: entry.metric ?? rowMetric })),
    threshold: numberOf(threshold) ?? null,
    transform: codeOf(options.get('transform'), findings),
    output: output === undefined ? null : output.kind === 'scalar' ? String(output.value) : JSON.stringify(plain(output)),
    reference: null,
    slices:
      Object.keys(metadata).length === 0
        ? NO_SLICES
        : Object.fromEntries(
            Object.entries(metadata).flatMap(([name, value]) =>
              ['string', 'number', 'boolean'].includes(typeof value) && name !== 'cluster' ? [[name, String(value)]] : [],
            ),
          ),
    cluster: typeof metadata.cluster === 'string' ? metadata.cluster : null,
    prompts: labelsOf(last('prompts')),
    targets: labelsOf(last('providers')),
    place: drafts.at(-1)?.node.place ?? '',
  };
  for (const values of combinations(variables, environment)) {
    const { context } = values;
    yield {
      ...common,
      id: contentHash(JSON.stringify([values, common.prefix, common.suffix])).slice(0, 16),
      variables: values,
      // promptfoo's RAG assertions find the passages in this variable.
      contexts: typeof context === 'string' ? [context] : Array.isArray(context) ? context.map(String) : null,
    };
  }
}

function plainObject(node: Located | undefined): Record<string, JsonValue> {
  return node?.kind === 'map' ? (plain(node) as Record<string, JsonValue>) : {}; // a map is an object
}

function labelsOf(node: Located | undefined): string[] | null {
  return node?.kind === 'list' ? node.items.map((item) => textOf(item) ?? '') : null;
}
