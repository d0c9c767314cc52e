import { csvFile, csvText } from '../../costs/csv-file.ts';
import { parseCsv } from '../../costs/invoices/parse-csv.ts';
import { PlimsollError } from '../../kernel/errors.ts';
import { parseJsonText } from '../../kernel/parse-json.ts';
import { isObject, type JsonValue } from '../json-value.ts';
import { compactCase, type EvalCase } from '../model.ts';

/** Assertion types of promptfoo that a cell may begin with. @see https://www.promptfoo.dev/docs/configuration/expected-outputs */
const TYPES = new Set(
  `agent-rubric answer-relevance bleu classifier contains contains-all contains-any contains-html contains-json contains-sql contains-xml
  context-faithfulness context-recall context-relevance conversation-relevance cost equals factuality finish-reason g-eval gleu guardrails icontains
  icontains-all icontains-any is-html is-json is-refusal is-sql is-valid-function-call is-valid-openai-function-call is-valid-openai-tools-call is-xml
  javascript latency levenshtein llm-rubric meteor model-graded-closedqa model-graded-factuality moderation perplexity perplexity-score pi python regex
  rouge-n ruby search-rubric similar similar:cosine similar:dot similar:euclidean skill-used starts-with tool-call-f1 trace-error-spans
  trace-span-count trace-span-duration trajectory:goal-success trajectory:step-count trajectory:tool-args-match trajectory:tool-sequence
  trajectory:tool-used webhook word-count`.split(/\s+/),
);
const LISTS = new Set(['contains-all', 'contains-any', 'icontains-all', 'icontains-any']);
/** Types that promptfoo gives a threshold when the cell names none. */
const WITH_THRESHOLD = new Set(
  'answer-relevance classifier context-faithfulness context-recall context-relevance cost latency levenshtein perplexity-score perplexity rouge-n similar starts-with'.split(
    ' ',
  ),
);
/** Longest first, so that `similar:cosine:x` is no `similar` of "cosine:x". */
const BY_LENGTH = [...TYPES].sort((a, b) => b.length - a.length);

/** A cell of `__expected`: `contains:Paris`, `similar(0.9):text`, `not-is-json`; anything else must be equalled. */
export function assertionOfCell(cell: string): { readonly [name: string]: JsonValue } {
  const code = /^(javascript|fn|eval|python):([\s\S]*)$/.exec(cell);
  if (code) return { type: code[1] === 'python' ? 'python' : 'javascript', value: (code[2] ?? '').trim() };
  const file = /^file:\/\/([\s\S]+)$/.exec(cell.trim());
  if (file && /\.(py|js|ts)(:|$)/.test(cell)) return { type: /\.py(:|$)/.test(cell) ? 'python' : 'javascript', value: cell.trim() };
  if (cell.startsWith('grade:')) return { type: 'llm-rubric', value: cell.slice('grade:'.length) };
  const [, negation = '', rest = ''] = /^(not-)?([\s\S]*)$/.exec(cell) ?? [];
  const type = BY_LENGTH.find((name) => rest === name || rest.startsWith(`${name}:`) || rest.startsWith(`${name}(`));
  const tail = type === undefined ? null : /^(?:\((\d+(?:\.\d+)?)\))?(?::([\s\S]*))?$/.exec(rest.slice(type.length));
  if (type === undefined || tail === null) return { type: 'equals', value: cell };
  const [, threshold, value] = tail;
  return {
    type: `${negation}${type}`,
    ...(value === undefined ? {} : { value: LISTS.has(type) ? value.split(',').map((item) => item.trim()) : value }),
    ...(WITH_THRESHOLD.has(type) ? { threshold: Number(threshold ?? 0) || (type === 'similar' ? 0.8 : 0.75) } : {}),
  };
}

const FORMULA = /^'*[\s\0]*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20|%]|^'*[\t\r\n]/;
const CASE_COLUMN = '__plimsoll:case';
const ANSWER_COLUMN = '__plimsoll:answer';

/** What a spreadsheet would run gets an apostrophe; and what has one already another, so that reading can take exactly one away. */
function guarded(text: string): string {
  return csvText(FORMULA.test(text) ? `'${text}` : text);
}

/** RFC 4180 in promptfoo's columns; what they have no place for stands as JSON in a last column. Reading it again gives equal cases. */
export function writePromptfooCsv(cases: readonly EvalCase[]): string {
  const isPlain = (name: string, value: JsonValue): value is string =>
    typeof value === 'string' && value !== '' && !/^_|^$|^\s|^'|^\uFEFF/.test(name);
  const names = new Set<string>();
  for (const { input } of cases) for (const [name, value] of Object.entries(input.variables)) if (isPlain(name, value)) names.add(name);
  const columns = [...names];
  const rows = cases.map((evalCase) => {
    const { input = {}, description, expected = {}, ...rest } = compactCase(evalCase);
    const { variables = {}, ...otherInput } = isObject(input) ? input : {};
    const { answer, ...otherExpected } = isObject(expected) ? expected : {};
    const inColumns = isObject(variables) ? variables : {};
    const own = Object.fromEntries(Object.entries(inColumns).filter(([name, value]) => !isPlain(name, value)));
    const answerCell = typeof answer === 'string' && answer !== '' ? answer : '';
    const rest2 = {
      ...rest,
      ...(typeof description === 'string' && description === '' ? { description } : {}),
      input: { ...otherInput, variables: own },
      expected: { ...otherExpected, ...(answer === '' ? { answer } : {}) },
    };
    const cells = columns.map((name) => {
      const value = Object.hasOwn(inColumns, name) ? inColumns[name] : undefined;
      return value !== undefined && isPlain(name, value) ? value : '';
    });
    return [...cells, typeof description === 'string' ? description : '', answerCell, JSON.stringify(rest2)].map(guarded);
  });
  return csvFile([...columns.map(guarded), '__description', ANSWER_COLUMN, CASE_COLUMN], rows);
}

/** The order of promptfoo's warnings: a name that was meant to be special. */
const SINGLE_UNDERSCORE = /^_(expected|prefix|suffix|description|providerOutput|metric|threshold|metadata|config)/;

/** Rows of a CSV file by the names in its first row. @throws PlimsollError `invalid_argument` with the row */
export function csvRecords(text: string): { readonly header: readonly string[]; readonly rows: readonly (readonly string[])[] } {
  const [header = [], ...rows] = parseCsv(text);
  if (header.length === 0)
    throw new PlimsollError('invalid_argument', 'The CSV is empty; its first row names the columns.', { details: { row: 1 } });
  const seen = new Set<string>();
  for (const name of header) {
    if (seen.has(name))
      throw new PlimsollError('invalid_argument', `Row 1: the column ${JSON.stringify(name)} is there twice; rename one.`, {
        details: { row: 1, name },
      });
    seen.add(name);
  }
  for (const [index, row] of rows.entries())
    if (row.length > header.length)
      throw new PlimsollError(
        'invalid_argument',
        `Row ${index + 2} has ${row.length} cells for ${header.length} columns; put text with commas into quotes.`,
        {
          details: { row: index + 2 },
        },
      );
  return { header, rows };
}

/** One row in promptfoo's columns as a promptfoo test, or as the case that we wrote. */
export function fromPromptfooRow(
  header: readonly string[],
  row: readonly string[],
  place: string,
  warn: (text: string) => void,
): JsonValue {
  const isOurs = header.includes(CASE_COLUMN);
  const variables: [string, JsonValue][] = [];
  const asserts: { index: number; assertion: { readonly [name: string]: JsonValue } }[] = [];
  const metadata: [string, JsonValue][] = [];
  const options: Record<string, JsonValue> = {};
  const config = new Map<number, [string, JsonValue][]>();
  let description: string | null = null;
  let metric: string | null = null;
  let threshold: number | null = null;
  let recorded: string | null = null;
  let answer: string | null = null;
  let own: { readonly [name: string]: JsonValue } = {};
  for (const [column, title] of header.entries()) {
    const cell = unguarded(row[column] ?? '', isOurs);
    const name = unguarded(title, isOurs);
    if (name === CASE_COLUMN) own = ownMembers(cell, place);
    else if (name === ANSWER_COLUMN) answer = cell === '' ? null : cell;
    else if (/^__expected\d*$/.test(name)) {
      const index = Number(name.slice('__expected'.length) || '1');
      if (cell.trim() !== '') asserts.push({ index, assertion: assertionOfCell(cell) });
    } else if (name.startsWith('__config:')) {
      const [, which, setting] = /^__config:__expected(\d*):(threshold|metric)$/.exec(name) ?? [];
      if (setting === undefined) refuse(place, `the column ${JSON.stringify(name)} is not known; write __config:__expected1:threshold`);
      const index = Number(which || '1');
      if (cell.trim() !== '')
        config.set(index, [...(config.get(index) ?? []), [setting ?? '', setting === 'threshold' ? numberOf(cell, place, name) : cell]]);
    } else if (name.startsWith('__metadata:')) {
      const key = name.slice('__metadata:'.length);
      const isList = key.endsWith('[]');
      if (cell.trim() !== '') metadata.push(isList ? [key.slice(0, -2), listOf(cell)] : [key, cell]);
    } else if (name === '__metadata') warn(`The column __metadata has no name; write __metadata:name. It was left out.`);
    else if (name === '__prefix' || name === '__suffix') options[name.slice(2)] = cell;
    else if (name === '__description') description = cell === '' ? null : cell;
    else if (name === '__providerOutput') recorded = cell === '' ? null : cell;
    else if (name === '__metric') metric = cell === '' ? null : cell;
    else if (name === '__threshold') threshold = cell.trim() === '' ? null : numberOf(cell, place, name);
    else if (isOurs) {
      if (cell !== '') variables.push([name, cell]);
    } else {
      if (SINGLE_UNDERSCORE.test(name))
        warn(`The column ${JSON.stringify(name)} has one underscore and is a variable; did you mean "_${name}"?`);
      variables.push([name, cell]);
    }
  }
  const assertions = asserts.map(({ index, assertion }) => ({
    ...assertion,
    ...(metric === null ? {} : { metric }),
    ...Object.fromEntries(config.get(index) ?? []),
  }));
  const input = isObject(own.input) ? own.input : {};
  const expected = isObject(own.expected) ? own.expected : {};
  return {
    ...own,
    ...(description === null ? {} : { description }),
    input: { ...input, variables: { ...(isObject(input.variables) ? input.variables : {}), ...Object.fromEntries(variables) } },
    expected: { ...expected, ...(answer === null ? {} : { answer }) },
    ...(assertions.length === 0 ? {} : { assertions }),
    ...(metadata.length === 0 ? {} : { metadata: Object.fromEntries(metadata) }),
    ...(Object.keys(options).length === 0 && threshold === null
      ? {}
      : { settings: { ...(Object.keys(options).length === 0 ? {} : { options }), ...(threshold === null ? {} : { threshold }) } }),
    ...(recorded === null ? {} : { recorded: { output: recorded } }),
  };
}

function unguarded(cell: string, isOurs: boolean): string {
  return isOurs && cell.startsWith("'") && FORMULA.test(cell) ? cell.slice(1) : cell;
}

function ownMembers(cell: string, place: string): { readonly [name: string]: JsonValue } {
  let value: unknown;
  try {
    value = cell === '' ? {} : parseJsonText(cell);
  } catch {
    refuse(place, `${CASE_COLUMN} is no JSON; leave it as it was written, or empty`);
  }
  const members = value as JsonValue; // of parseJsonText
  return isObject(members) ? members : refuse(place, `${CASE_COLUMN} is no JSON object`);
}

/** `a, b\, c` = two items. */
function listOf(cell: string): string[] {
  return cell
    .split(/(?<!\\),/)
    .map((item) => item.trim().replaceAll('\\,', ','))
    .filter((item) => item !== '');
}

function numberOf(cell: string, place: string, name: string): number {
  const value = Number(cell);
  return Number.isFinite(value) ? value : refuse(place, `${name} is ${JSON.stringify(cell)}, which is no number`);
}

function refuse(place: string, why: string): never {
  throw new PlimsollError('invalid_argument', `${place}: ${why}`, { details: { place } });
}
