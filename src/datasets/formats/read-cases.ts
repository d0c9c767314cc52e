import { isMap, isSeq, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { PlimsollError } from '../../kernel/errors.ts';
import { parseJsonText } from '../../kernel/parse-json.ts';
import { assertJson, isObject, type JsonValue } from '../json-value.ts';
import { CASE_CAPS, type EvalCase, readCase } from '../model.ts';
import { fromPromptfooTest } from './promptfoo.ts';
import { csvRecords, fromPromptfooRow } from './promptfoo-csv.ts';
import { fromDeepEvalRow, fromRagasRow } from './rows.ts';

export const CaseShapeName = z.enum(['plimsoll', 'promptfoo', 'ragas', 'deepeval']);
export type CaseShapeName = z.infer<typeof CaseShapeName>;
export const FILE_CAP_BYTES = 32 * 1_048_576;

/** What a file holds. Cases that stand there twice are kept once and told. */
export interface ReadCases {
  readonly cases: readonly EvalCase[];
  readonly shape: CaseShapeName;
  /** Same content at two places. */
  readonly repeated: readonly { readonly place: string; readonly firstPlace: string }[];
  readonly warnings: readonly string[];
  /** Members beside `cases` of a file of ours: name, version, split. */
  readonly head: { readonly [name: string]: JsonValue };
}

interface Item {
  readonly value: unknown;
  readonly place: string;
}

interface Options {
  /** For messages, and for the kind by its ending: .yaml, .yml, .json, .jsonl, .csv. */
  readonly fileName: string;
  /** Told by the members when left out. */
  readonly shape?: CaseShapeName | undefined;
}

/** @throws PlimsollError `invalid_argument` with file, line or row, member and fix; `payload_too_large` */
export function readCases(text: string, { fileName, shape }: Options): ReadCases {
  const bytes = Buffer.byteLength(text);
  if (bytes > FILE_CAP_BYTES)
    throw new PlimsollError('payload_too_large', `${fileName} has ${bytes} bytes; at most ${FILE_CAP_BYTES} are read at once. Split it.`);
  const warnings = new Set<string>();
  const ending = /\.(ya?ml|jsonl?|csv)$/i.exec(fileName)?.[1]?.toLowerCase();
  const { items, head, isRows } = itemsOf(text.replace(/^\uFEFF/, ''), ending, fileName, shape, (warning) => warnings.add(warning));
  if (items.length > CASE_CAPS.datasetCases)
    throw new PlimsollError(
      'invalid_argument',
      `${fileName} has ${items.length} cases; at most ${CASE_CAPS.datasetCases} are taken. Split it.`,
    );
  const found = shape ?? (isRows ? 'promptfoo' : shapeOf(items[0], head));
  const kept = new Map<string, { evalCase: EvalCase; place: string }>();
  const byId = new Map<string, string>();
  const repeated: { place: string; firstPlace: string }[] = [];
  for (const { value, place } of items) {
    const evalCase = readCase(isRows ? value : converted(value, place, found), place);
    const first = kept.get(evalCase.hash);
    if (first !== undefined) {
      repeated.push({ place, firstPlace: first.place });
      continue;
    }
    const sameId = evalCase.id === null ? undefined : byId.get(evalCase.id);
    if (sameId !== undefined)
      throw new PlimsollError(
        'invalid_argument',
        `${place}: the id ${JSON.stringify(evalCase.id)} is that of another case at ${sameId}; rename one`,
        {
          details: { place, id: evalCase.id },
        },
      );
    kept.set(evalCase.hash, { evalCase, place });
    if (evalCase.id !== null) byId.set(evalCase.id, place);
  }
  return { cases: [...kept.values()].map(({ evalCase }) => evalCase), shape: found, repeated, warnings: [...warnings], head };
}

interface Items {
  readonly items: readonly Item[];
  readonly head: { readonly [name: string]: JsonValue };
  /** Rows in promptfoo's columns, which are cases already. */
  readonly isRows: boolean;
}

function itemsOf(
  text: string,
  ending: string | undefined,
  fileName: string,
  shape: CaseShapeName | undefined,
  warn: (text: string) => void,
): Items {
  switch (ending) {
    case 'csv':
      return csvItems(text, fileName, shape, warn);
    case 'jsonl':
      return { items: lines(text, fileName), head: {}, isRows: false };
    case 'json': {
      const value = parsed(text, fileName);
      const { list, head } = listOf(value, fileName);
      return { items: list.map((item, index) => ({ value: item, place: `${fileName}, case ${index + 1}` })), head, isRows: false };
    }
    case 'yaml':
    case 'yml':
      return yamlItems(text, fileName);
    default:
      throw new PlimsollError(
        'invalid_argument',
        `${JSON.stringify(fileName)} does not end in .yaml, .yml, .jsonl, .json or .csv, so it cannot be told how to read it.`,
        {
          details: { param: 'fileName' },
        },
      );
  }
}

function csvItems(text: string, fileName: string, shape: CaseShapeName | undefined, warn: (text: string) => void): Items {
  const { header, rows } = csvRecords(text);
  const told = shape ?? csvShape(header);
  const items = rows.map((row, index): Item => {
    const place = `${fileName}, row ${index + 2}`;
    const value = told === 'promptfoo' || told === 'plimsoll' ? fromPromptfooRow(header, row, place, warn) : recordOf(header, row);
    return { value: told === 'ragas' ? fromRagasRow(value as Row) : told === 'deepeval' ? fromDeepEvalRow(value as Row) : value, place };
  });
  return { items, head: {}, isRows: true };
}

type Row = { readonly [name: string]: JsonValue };

function recordOf(header: readonly string[], row: readonly string[]): Row {
  return Object.fromEntries(header.map((name, index) => [name, row[index] ?? '']));
}

function csvShape(header: readonly string[]): CaseShapeName {
  const has = (...names: string[]): boolean => names.some((name) => header.includes(name));
  if (header.some((name) => name.startsWith('__'))) return 'promptfoo';
  if (has('user_input') || (has('question') && has('contexts', 'ground_truth', 'ground_truths'))) return 'ragas';
  if (has('input') && has('actual_output', 'expected_output', 'retrieval_context')) return 'deepeval';
  return 'promptfoo';
}

function shapeOf(first: Item | undefined, head: Row): CaseShapeName {
  const value = first?.value as JsonValue | undefined; // JSON of a parser, checked again by readCase
  if (!isObject(value)) return 'plimsoll';
  const has = (...names: string[]): boolean => names.some((name) => Object.hasOwn(value, name));
  if (has('vars', 'assert') || Object.hasOwn(head, 'prompts')) return 'promptfoo';
  if (has('user_input') || (has('question') && !has('input'))) return 'ragas';
  if (has('turns', 'actual_output', 'expected_output') || typeof value.input === 'string') return 'deepeval';
  return 'plimsoll';
}

function converted(value: unknown, place: string, shape: CaseShapeName): unknown {
  assertJson(value, place);
  if (!isObject(value)) {
    const hint = typeof value === 'string' && value.startsWith('file://') ? '; import that file by itself' : '';
    throw new PlimsollError('invalid_argument', `${place}: ${JSON.stringify(value).slice(0, 80)} is no case${hint}`, {
      details: { place },
    });
  }
  switch (shape) {
    case 'plimsoll':
      return value;
    case 'promptfoo':
      return fromPromptfooTest(value, place);
    case 'ragas':
      return fromRagasRow(value);
    case 'deepeval':
      return fromDeepEvalRow(value);
  }
}

function parsed(text: string, place: string): unknown {
  try {
    return parseJsonText(text);
  } catch (thrown) {
    throw new PlimsollError('invalid_argument', `${place}: this is no JSON: ${thrown instanceof Error ? thrown.message : String(thrown)}`, {
      details: { place },
    });
  }
}

function lines(text: string, fileName: string): Item[] {
  return text.split(/\r?\n/).flatMap((line, index) => {
    const place = `${fileName}, line ${index + 1}`;
    return line.trim() === '' ? [] : [{ value: parsed(line, place), place }];
  });
}

/** A list, or an object with `cases` (ours) or `tests` (promptfoo). */
function listOf(value: unknown, fileName: string): { list: readonly unknown[]; head: Row } {
  if (Array.isArray(value)) return { list: value, head: {} };
  const object = value as JsonValue; // JSON of a parser
  if (isObject(object))
    for (const name of ['cases', 'tests'])
      if (Array.isArray(object[name]))
        return { list: object[name], head: Object.fromEntries(Object.entries(object).filter(([other]) => other !== name)) };
  throw new PlimsollError(
    'invalid_argument',
    `${fileName}: there is no list of cases; write them under "cases:" (or promptfoo's under "tests:").`,
    {
      details: { fileName },
    },
  );
}

function yamlItems(text: string, fileName: string): Items {
  const counter = new LineCounter();
  try {
    const document = parseDocument(text, { lineCounter: counter, uniqueKeys: true, prettyErrors: false, logLevel: 'silent' });
    const [error] = document.errors;
    if (error !== undefined)
      throw new PlimsollError('invalid_argument', `${fileName}, line ${counter.linePos(error.pos[0]).line}: ${error.message}`, {
        details: { fileName, line: counter.linePos(error.pos[0]).line },
      });
    const { list, head } = listOf(document.toJS({ maxAliasCount: 100 }), fileName);
    const root = document.contents;
    const nodes = isSeq(root) ? root : isMap(root) ? (root.get('cases', true) ?? root.get('tests', true)) : null;
    const lineOf = (index: number): number | null => {
      const node = isSeq(nodes) ? nodes.items[index] : null;
      const range = typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range) ? node.range : null;
      return typeof range?.[0] === 'number' ? counter.linePos(range[0]).line : null;
    };
    return {
      items: list.map((value, index) => ({
        value,
        place: lineOf(index) === null ? `${fileName}, case ${index + 1}` : `${fileName}, line ${lineOf(index)}`,
      })),
      head,
      isRows: false,
    };
  } catch (thrown) {
    if (thrown instanceof PlimsollError) throw thrown;
    throw new PlimsollError(
      'invalid_argument',
      `${fileName}: this YAML cannot be read: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
      {
        details: { fileName },
        cause: thrown,
      },
    );
  }
}
