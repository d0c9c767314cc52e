import { PlimsollError } from '../kernel/errors.ts';
import { readCases } from './formats/read-cases.ts';
import { type CaseDiff, hashOfCases } from './membership.ts';
import type { EvalCase } from './model.ts';
import { DATASET_NAME } from './source.ts';

/** A dataset as a file in a project, under Git. */
export interface WorkingCopy {
  readonly path: string;
  readonly text: string;
  /** Null = the file names none. */
  readonly name: string | null;
  /** The version that it was pulled from, or that it was pushed as; 0 = never. */
  readonly version: number;
  /** True for our own YAML, which is the whole dataset; other files are only cases to add. */
  readonly isOwn: boolean;
  readonly cases: readonly EvalCase[];
  readonly repeated: readonly { readonly place: string; readonly firstPlace: string }[];
  readonly warnings: readonly string[];
}

/** @throws PlimsollError `invalid_argument` with file and line */
export function readWorkingCopy(path: string, text: string): WorkingCopy {
  const { cases, head, shape, repeated, warnings } = readCases(text, { fileName: path });
  const { name = null, version = 0 } = head;
  const isOwn = shape === 'plimsoll' && /\.ya?ml$/i.test(path) && /^cases:/m.test(text);
  if (isOwn && name !== null && (typeof name !== 'string' || !DATASET_NAME.test(name)))
    throw new PlimsollError('invalid_argument', `${path}: name is ${JSON.stringify(name)}; use small letters, digits, ".", "_" and "-"`, {
      details: { path },
    });
  if (isOwn && (typeof version !== 'number' || !Number.isSafeInteger(version) || version < 0))
    throw new PlimsollError(
      'invalid_argument',
      `${path}: version is ${JSON.stringify(version)}; it is the number that the last pull or push wrote`,
      {
        details: { path },
      },
    );
  return {
    path,
    text,
    name: isOwn && typeof name === 'string' ? name : null,
    version: isOwn ? Number(version) : 0,
    isOwn,
    cases,
    repeated,
    warnings,
  };
}

/** `ahead`: only the file changed; `behind`: only the server; `diverged`: both, and nobody may be overwritten. */
export type CopyState = 'same' | 'ahead' | 'behind' | 'diverged';

/**
 * @param base open cases of the version that the file was pulled from; null = it was never pulled
 * @param newest open cases of the newest version
 */
export function compareCopy(local: readonly EvalCase[], base: readonly EvalCase[] | null, newest: readonly EvalCase[]): CopyState {
  const hash = hashOfCases(local);
  if (hash === hashOfCases(newest)) return 'same';
  if (base === null) return 'diverged';
  const start = hashOfCases(base);
  if (hash === start) return 'behind';
  return start === hashOfCases(newest) ? 'ahead' : 'diverged';
}

/** The file with another version in its head; comments, order and form of all else stay. */
export function withVersion({ text, name }: Pick<WorkingCopy, 'text' | 'name'>, dataset: string, version: number): string {
  const line = `version: ${version}`;
  if (/^version:.*$/m.test(text)) return text.replace(/^version:.*$/m, line);
  if (name !== null) return text.replace(/^name:.*$/m, (found) => `${found}\n${line}`);
  // A list of cases gets its head before "cases:".
  return text.replace(/^cases:/m, `name: ${dataset}\n${line}\n\ncases:`);
}

/** Lines for people: + added, - removed, ~ changed. */
export function diffLines({ added, removed, changed }: CaseDiff, titleOf: (evalCase: EvalCase) => string): string[] {
  return [
    ...removed.map((each) => `- ${titleOf(each)}`),
    ...changed.map(({ before, after }) => `~ ${titleOf(after)}  (${changedMembers(before, after).join(', ')})`),
    ...added.map((each) => `+ ${titleOf(each)}`),
  ];
}

export function changedMembers(before: EvalCase, after: EvalCase): string[] {
  const { hash: _before, ...old } = before;
  const { hash: _after, ...now } = after;
  const members: Readonly<Record<string, unknown>> = now;
  return Object.entries(old).flatMap(([name, value]) => (JSON.stringify(value) === JSON.stringify(members[name]) ? [] : [name]));
}
