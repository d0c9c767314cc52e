import { readFile } from 'node:fs/promises';
import { text as readText } from 'node:stream/consumers';
import { readCases } from '../datasets/formats/read-cases.ts';
import { type EvalCase, questionOf } from '../datasets/model.ts';
import type { SaveResult } from '../datasets/service.ts';
import { parseCaseReference } from '../datasets/source.ts';
import { readWorkingCopy, type WorkingCopy } from '../datasets/working-copy.ts';
import { PlimsollError } from '../kernel/errors.ts';
import type { ApiClient } from './api-client.ts';
import { countOf } from './format.ts';

export interface RemoteCases {
  readonly version: number;
  readonly sealedCases: number;
  readonly cases: readonly EvalCase[];
}

export interface SaveAnswer extends SaveResult {
  readonly repeated: readonly { readonly place: string; readonly firstPlace: string }[];
  readonly warnings: readonly string[];
}

/** A dataset's name and version as people write them: `support`, `support@3`. @throws PlimsollError `invalid_argument` for a file */
export function datasetReference(reference: string): { readonly name: string; readonly version: number | undefined } {
  const parsed = parseCaseReference(reference);
  if (parsed.kind === 'file')
    throw new PlimsollError('invalid_argument', `${reference} is a file; give the name of a dataset, such as support or support@3`);
  return { name: parsed.name, version: parsed.version ?? undefined };
}

export function datasetPath(name: string): string {
  return `/api/v1/datasets/${encodeURIComponent(name)}`;
}

/** Open cases of a version. @returns null when there is no dataset of the name */
export async function remoteCases(client: ApiClient, name: string, version?: number): Promise<RemoteCases | null> {
  try {
    const { source, headers } = await client.file(`${datasetPath(name)}/export`, { version, format: 'jsonl' });
    const { cases } = readCases(await readText(source), { fileName: `${name}.jsonl` });
    return {
      version: Number(headers.get('x-plimsoll-dataset-version') ?? 0),
      sealedCases: Number(headers.get('x-plimsoll-sealed-cases') ?? 0),
      cases,
    };
  } catch (thrown) {
    if (thrown instanceof PlimsollError && thrown.code === 'not_found' && version === undefined) return null;
    throw thrown;
  }
}

/** @returns null when there is no such file @throws PlimsollError `invalid_argument` */
export async function localCopy(path: string): Promise<WorkingCopy | null> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return null;
    throw new PlimsollError('invalid_argument', `${path} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
  return readWorkingCopy(path, text);
}

export function caseTitle(evalCase: EvalCase): string {
  const question = questionOf(evalCase).replaceAll(/\s+/g, ' ').trim();
  const shown = question.length > 72 ? `${question.slice(0, 71)}…` : question;
  return `${evalCase.hash.slice(0, 12)}  ${evalCase.id === null ? '' : `${evalCase.id}: `}${shown}`;
}

export function savedText({
  name,
  version,
  isNewVersion,
  added,
  changed,
  removed,
  unchanged,
  sealed,
  caseCount,
  repeated,
  warnings,
}: SaveAnswer): string {
  const lines = [
    isNewVersion
      ? `${name}@${version}: ${added} added, ${changed} changed, ${removed} removed, ${unchanged} unchanged; ${countOf(caseCount, 'case')} in all.`
      : `${name}@${version} holds all of it already; no new version.`,
    ...(sealed > 0 ? [`${sealed} of them went to the sealed holdout.`] : []),
    ...repeated.slice(0, 20).map(({ place, firstPlace }) => `Twice: ${place} is the same case as ${firstPlace}; kept once.`),
    ...(repeated.length > 20 ? [`… and ${repeated.length - 20} more that stand twice.`] : []),
    ...warnings.map((warning) => `Note: ${warning}`),
  ];
  return lines.join('\n');
}
