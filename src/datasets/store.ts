import type { Scope } from '../kernel/scope.ts';
import type { EvalCase } from './model.ts';
import type { SplitPlan } from './split.ts';

export interface DatasetRecord {
  readonly name: string;
  readonly description: string;
  readonly split: SplitPlan | null;
  /** 0 = no version yet. */
  readonly newestVersion: number;
  readonly createdAtMs: number;
  readonly archivedAtMs: number | null;
}

export interface DatasetVersion {
  /** 1..n without gaps. */
  readonly version: number;
  /** The version before; null = the first. */
  readonly parent: number | null;
  readonly author: string;
  readonly message: string;
  readonly createdAtMs: number;
  readonly caseCount: number;
  readonly added: number;
  readonly removed: number;
  /** sha-256 over the hashes of its cases, in order of the hashes. */
  readonly contentHash: string;
}

/** A case's place in a version. Places are kept from version to version; a new one stands behind, or where the one it replaces stood. */
export interface PlacedCase {
  readonly position: number;
  readonly evalCase: EvalCase;
}

export interface VersionDraft {
  /** The newest version that the author knew; 0 = none. */
  readonly parent: number;
  readonly author: string;
  readonly message: string;
  readonly createdAtMs: number;
  readonly caseCount: number;
  readonly contentHash: string;
  /** Hashes that the parent holds and this version does not. */
  readonly ended: readonly string[];
  readonly added: readonly PlacedCase[];
}

export interface HoldoutOpeningRecord {
  readonly id: string;
  /** Null = the seal itself was changed, not a version read. */
  readonly version: number | null;
  readonly reason: string;
  readonly openedBy: string;
  readonly atMs: number;
}

/** Datasets: immutable versions, each a list of cases by their hash. Versions of a dataset are 1..n without gaps, also when writers race. */
export interface DatasetStore {
  /** By name. */
  list(scope: Scope): Promise<DatasetRecord[]>;
  get(scope: Scope, name: string): Promise<DatasetRecord | null>;
  /** @throws PlimsollError `conflict` when the name is taken */
  create(scope: Scope, record: DatasetRecord): Promise<void>;
  /** Description, split, archived. @returns false when there is none */
  change(scope: Scope, name: string, changes: Partial<Pick<DatasetRecord, 'description' | 'split' | 'archivedAtMs'>>): Promise<boolean>;
  /** @throws PlimsollError `conflict` when `parent` is no longer the newest version, `not_found` */
  append(scope: Scope, name: string, draft: VersionDraft): Promise<DatasetVersion>;
  /** Newest first. */
  versions(scope: Scope, name: string): Promise<DatasetVersion[]>;
  /** Cases of a version by position, from behind `afterPosition`. */
  cases(
    scope: Scope,
    name: string,
    version: number,
    page: { readonly afterPosition: number; readonly limit: number },
  ): Promise<PlacedCase[]>;
  recordOpening(scope: Scope, name: string, opening: HoldoutOpeningRecord): Promise<void>;
  /** Oldest first. */
  openings(scope: Scope, name: string): Promise<HoldoutOpeningRecord[]>;
}
