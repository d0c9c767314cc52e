import { PlimsollError } from '../kernel/errors.ts';
import type { EvalCase } from './model.ts';

/** Parts of a dataset. `holdout` is sealed; `excluded` = in none, since it would leak across a boundary in time. */
export type CasePart = 'train' | 'dev' | 'holdout' | 'excluded';

/** What to read: a dataset in the store (newest version when null) or a file. */
export type CaseReference =
  | { readonly kind: 'dataset'; readonly name: string; readonly version: number | null }
  | { readonly kind: 'file'; readonly path: string };

/** A seal is broken only by saying why; each time is counted. */
export interface HoldoutOpening {
  readonly reason: string;
}

/** Cases of one version of a dataset, or of one file. Never changes under the reader. */
export interface OpenedCases {
  readonly name: string;
  /** Null = a file. */
  readonly version: number | null;
  /** sha-256 over the hashes of the cases, in order of the hashes: equal for equal cases, in whatever order they stand. */
  readonly contentHash: string;
  /** Cases that `cases()` gives. */
  readonly count: number;
  /** Cases that stay sealed. */
  readonly sealedCount: number;
  /** How often the holdout was opened, this time included; show it wherever a result on the holdout is shown. Null = a file, which has no seal. */
  readonly holdoutOpenings: number | null;
  /** In their order; can be read again. */
  cases(): AsyncIterable<EvalCase>;
}

export interface OpenCasesOptions {
  /** Only these parts; all that are open when absent. `holdout` needs `holdout`. */
  readonly parts?: readonly CasePart[];
  readonly holdout?: HoldoutOpening;
}

/** How the runner gets its cases, wherever they are kept. */
export interface CaseSource {
  /**
   * @param reference `support`, `support@3`, or a path: `datasets/support.yaml`, `cases.csv`
   * @throws PlimsollError `not_found`, `invalid_argument` with file, line and fix, `permission_denied` for a sealed part
   */
  open(reference: string, options?: OpenCasesOptions): Promise<OpenedCases>;
}

export const DATASET_NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;
const FILE = /[/\\]|\.(ya?ml|jsonl?|csv)$/i;

/** @throws PlimsollError `invalid_argument` */
export function parseCaseReference(reference: string): CaseReference {
  if (FILE.test(reference)) return { kind: 'file', path: reference };
  const [, name = '', version] = /^([^@]*)(?:@([1-9]\d{0,8}))?$/.exec(reference) ?? [];
  if (!DATASET_NAME.test(name))
    throw new PlimsollError(
      'invalid_argument',
      `${JSON.stringify(reference)} is neither a dataset (such as support or support@3: small letters, digits, ".", "_" and "-") nor a file that ends in .yaml, .jsonl, .json or .csv`,
      { details: { param: 'dataset', reference } },
    );
  return { kind: 'dataset', name, version: version === undefined ? null : Number(version) };
}
