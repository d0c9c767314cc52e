import { z } from 'zod';
import { isRecord } from '../../traces/preview.ts';
import { findJson } from './lenient-json.ts';

/** What a judge's reply says, or in one sentence why it could not be read. */
export type Reading<T> = { readonly value: T } | { readonly problem: string };
export type ReplyReader<T> = (text: string) => Reading<T>;

export type Verdict = 'yes' | 'no' | 'idk';

const VERDICTS: Readonly<Record<string, Verdict>> = {
  yes: 'yes',
  y: 'yes',
  true: 'yes',
  pass: 'yes',
  '1': 'yes',
  no: 'no',
  n: 'no',
  false: 'no',
  fail: 'no',
  '0': 'no',
  idk: 'idk',
  unknown: 'idk',
  "i don't know": 'idk',
};

/** Yes, no or "I don't know", however a model writes them; null for anything else: nothing is guessed. */
export function readVerdict(value: unknown): Verdict | null {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return null;
  const word = String(value)
    .trim()
    .replace(/^["'*`]+|["'*`.!]+$/g, '')
    .replaceAll('’', "'")
    .toLowerCase();
  return Object.hasOwn(VERDICTS, word) ? (VERDICTS[word] ?? null) : null;
}

export const VerdictField = z.unknown().transform((value, context): Verdict => {
  const verdict = readVerdict(value);
  if (verdict !== null) return verdict;
  context.addIssue({ code: 'custom', message: 'neither yes nor no' });
  return z.NEVER;
});

/** A finite number, also when it is written as text. */
export const NumberField = z.unknown().transform((value, context): number => {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof number === 'number' && Number.isFinite(number)) return number;
  context.addIssue({ code: 'custom', message: 'not a number' });
  return z.NEVER;
});

export const TextField = z.string().trim().min(1).max(4000);

/** For people only: the beginning of whatever stands there, or nothing. It is stored with every score. */
export const ReasonField = z
  .string()
  .catch('')
  .transform((text) => text.trim().slice(0, 1000).toWellFormed());

/** More than an answer asserts; a judge that lists more is in a loop. */
const MAXIMUM_LISTED = 500;

/**
 * Reads a reply whose object (or array) fits the schema.
 * @param cut what a reply that was cut off must fit to be believed all the same; null = such a reply is never believed. Names are in lower case.
 */
export function jsonReader<T>(schema: z.ZodType<T>, cut: z.ZodType<T> | null = null): ReplyReader<T> {
  return (text) => {
    const found = findJson(text);
    if (found.length === 0) return { problem: text.trim() === '' ? 'it is empty' : 'it has no JSON object' };
    let problem = 'it was cut off';
    const fitting: T[] = [];
    for (const { value, isComplete } of found) {
      const wanted = isComplete ? schema : cut;
      const parsed = wanted?.safeParse(value);
      if (parsed?.success) fitting.push(parsed.data);
      else if (parsed) problem = problemOf(parsed.error);
    }
    const first = fitting[0];
    if (first === undefined) return { problem };
    // One of them may be quoted from the text that was judged.
    if (fitting.some((other) => withoutReasons(other) !== withoutReasons(first))) return { problem: 'its objects contradict each other' };
    return { value: first };
  };
}

function problemOf(error: z.ZodError): string {
  const issue = error.issues[0];
  const place = issue === undefined || issue.path.length === 0 ? '' : ` at "${issue.path.join('.')}"`;
  return `its JSON does not have the form asked for${place}`;
}

function withoutReasons(value: unknown): string {
  return JSON.stringify(value, (name, member: unknown) => (name === 'reason' ? undefined : member));
}

const ListItem = z.object({ verdict: VerdictField, reason: ReasonField });
const LIST_NAMES = ['verdicts', 'statements', 'answers', 'results', 'classifications'];

export interface ListedVerdict {
  readonly verdict: Verdict;
  readonly reason: string;
}

/** Reads one verdict for each of `count` numbered items, in order: `{"verdicts": [{"reason", "verdict"}]}`, the array alone, or an array of words. */
export function verdictListReader(count: number): ReplyReader<readonly ListedVerdict[]> {
  const list = z.preprocess(
    (value) => (Array.isArray(value) ? value.map((item: unknown) => (isRecord(item) ? item : { verdict: item })) : value),
    z.array(ListItem).length(count),
  );
  const wrapped = z.preprocess((value) => {
    // Numbers alone in brackets are more often a footnote than a verdict.
    if (Array.isArray(value) && value.some((item) => typeof item === 'number')) return null;
    if (!isRecord(value)) return value;
    const name = LIST_NAMES.find((candidate) => Array.isArray(value[candidate]));
    // A single item needs no list.
    return name === undefined ? (count === 1 ? [value] : value) : value[name];
  }, list);
  // All verdicts there: then what is missing is only a bracket.
  const read = jsonReader<readonly ListedVerdict[]>(wrapped, wrapped);
  return (text) => {
    const reading = read(text);
    return 'value' in reading ? reading : { problem: `${reading.problem}; ${count} verdicts are wanted, one for each item` };
  };
}

/** Reads `{"statements": ["…"]}`, whatever the list is called, or the array alone. An empty list is an answer. */
export function textListReader(name: string): ReplyReader<readonly string[]> {
  const item = z.object({ [name.replace(/s$/, '')]: TextField }).transform((object) => Object.values(object)[0] ?? '');
  const texts = z.array(z.union([TextField, item])).max(MAXIMUM_LISTED);
  return jsonReader(
    z.preprocess((value) => {
      if (!isRecord(value)) return value;
      if (Array.isArray(value[name])) return value[name];
      const lists = Object.values(value).filter((member) => Array.isArray(member));
      return lists.length === 1 ? lists[0] : value;
    }, texts),
  );
}
