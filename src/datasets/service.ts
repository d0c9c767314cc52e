import type { Clock } from '../kernel/clock.ts';
import { PlimsollError } from '../kernel/errors.ts';
import type { EventLog } from '../kernel/event-log/event-log.ts';
import { newUuidV7 } from '../kernel/ids.ts';
import type { Actor, Scope } from '../kernel/scope.ts';
import { nearest } from '../kernel/suggest.ts';
import { type CaseCheck, COMPARED_CASES, checkCases, countParts } from './check.ts';
import { type CaseDiff, diffCases, hashOfCases, type MembershipChange, planMembership, type SaveMode } from './membership.ts';
import { CASE_CAPS, type EvalCase } from './model.ts';
import { type DuplicatePair, leaksOf, nearDuplicates } from './near-duplicates.ts';
import { type CasePart, type CaseSource, DATASET_NAME, type HoldoutOpening, parseCaseReference } from './source.ts';
import { type SplitPlan, splitCases } from './split.ts';
import type { DatasetRecord, DatasetStore, DatasetVersion, HoldoutOpeningRecord, PlacedCase } from './store.ts';

const READ_AT_ONCE = 1_000;

export interface SaveRequest {
  readonly cases: readonly EvalCase[];
  readonly mode: SaveMode;
  readonly message: string;
  /** The version that the author knew, 0 = none; null = whatever is newest. */
  readonly parent: number | null;
}

export interface SaveResult {
  readonly name: string;
  readonly version: number;
  /** False = everything was there already; no version was made. */
  readonly isNewVersion: boolean;
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
  readonly unchanged: number;
  /** Of what came in, what the split sealed. */
  readonly sealed: number;
  readonly caseCount: number;
}

export interface OpenDataset {
  readonly record: DatasetRecord;
  readonly version: number;
  readonly placed: readonly PlacedCase[];
  readonly parts: ReadonlyMap<string, CasePart>;
}

export interface DatasetCheck extends CaseCheck {
  readonly version: number;
}

export interface DatasetService {
  list(scope: Scope): Promise<DatasetRecord[]>;
  /** @throws PlimsollError `not_found` with the nearest name */
  get(scope: Scope, name: string): Promise<DatasetRecord>;
  versions(scope: Scope, name: string): Promise<DatasetVersion[]>;
  openings(scope: Scope, name: string): Promise<HoldoutOpeningRecord[]>;
  /**
   * Makes the next version, and the dataset when there is none of that name. Saving the same twice makes one version.
   * @throws PlimsollError `conflict` when `parent` is not the newest version any more, for an archived dataset, and for a leak across the split
   */
  save(scope: Scope, name: string, request: SaveRequest, actor: Actor): Promise<SaveResult>;
  /** Takes open cases out, in a new version. @throws PlimsollError `not_found` for a hash that is not in it, or sealed */
  remove(scope: Scope, name: string, hashes: readonly string[], message: string, actor: Actor): Promise<SaveResult>;
  change(scope: Scope, name: string, changes: { readonly description?: string; readonly isArchived?: boolean }): Promise<DatasetRecord>;
  /** Another split of a dataset that has a sealed part breaks the seal: it needs a reason and is counted. @throws PlimsollError `conflict` */
  setSplit(scope: Scope, name: string, split: SplitPlan | null, reason: string | null, actor: Actor): Promise<DatasetRecord>;
  /** Everything, sealed cases too: what goes out must be filtered by `parts`. @param version null = the newest */
  read(scope: Scope, name: string, version: number | null): Promise<OpenDataset>;
  /** Open cases only; of sealed ones how many differ. */
  diff(scope: Scope, name: string, from: number, to: number): Promise<CaseDiff & { readonly sealedDifferences: number }>;
  check(scope: Scope, name: string, version: number | null): Promise<DatasetCheck>;
  /** Breaks the seal once: counted, with its reason, in the event log. @returns openings, this one included */
  openHoldout(scope: Scope, name: string, version: number, opening: HoldoutOpening, actor: Actor): Promise<number>;
  /** For the runner. Reads datasets; files are for `fileCases`. */
  source(scope: Scope, actor: Actor): CaseSource;
}

interface Options {
  readonly store: DatasetStore;
  readonly eventLog: EventLog;
  readonly nameOf: (scope: Scope, actor: Actor) => Promise<string>;
  readonly clock: Clock;
}

/** Names of a pair for people who may not see what is sealed. */
function pairText({ left, right, similarity }: DuplicatePair): string {
  return `${left.slice(0, 12)} and ${right.slice(0, 12)} (${Math.floor(similarity * 100)} % alike)`;
}

function assertNoLeak(cases: readonly EvalCase[], split: SplitPlan | null, touched: ReadonlySet<string> | null): void {
  if (split === null || cases.length > COMPARED_CASES) return;
  const leaks = leaksOf(nearDuplicates(cases), splitCases(cases, split)).filter(
    ({ left, right }) => touched === null || touched.has(left) || touched.has(right),
  );
  if (leaks.length === 0) return;
  throw new PlimsollError(
    'conflict',
    `${leaks.length} pair${leaks.length === 1 ? '' : 's'} of near-duplicates would stand on two sides of the split: ${leaks.slice(0, 5).map(pairText).join('; ')}. What is asked in one part would be known from the other: give both of a pair the same cluster, or leave one out. Nothing was saved.`,
    { details: { leaks: leaks.slice(0, 50) } },
  );
}

export function createDatasetService({ store, eventLog, nameOf, clock }: Options): DatasetService {
  async function get(scope: Scope, name: string): Promise<DatasetRecord> {
    const found = await store.get(scope, name);
    if (found !== null) return found;
    const names = (await store.list(scope)).map((record) => record.name);
    const close = nearest(name, names);
    const hint =
      close === null
        ? names.length === 0
          ? 'there is none yet'
          : `there are: ${names.slice(0, 20).join(', ')}`
        : `did you mean "${close}"?`;
    throw new PlimsollError('not_found', `There is no dataset ${JSON.stringify(name)}; ${hint}`, { details: { name } });
  }

  async function placedCases(scope: Scope, name: string, version: number): Promise<PlacedCase[]> {
    const placed: PlacedCase[] = [];
    if (version === 0) return placed;
    for (;;) {
      const page = await store.cases(scope, name, version, { afterPosition: placed.at(-1)?.position ?? -1, limit: READ_AT_ONCE });
      placed.push(...page);
      if (page.length < READ_AT_ONCE) return placed;
    }
  }

  async function read(scope: Scope, name: string, version: number | null): Promise<OpenDataset> {
    const record = await get(scope, name);
    const wanted = version ?? record.newestVersion;
    if (wanted < 0 || wanted > record.newestVersion)
      throw new PlimsollError(
        'not_found',
        `${name} has ${record.newestVersion === 0 ? 'no version yet' : `versions 1 to ${record.newestVersion}`}, none ${wanted}.`,
        {
          details: { name, version: wanted },
        },
      );
    const placed = await placedCases(scope, name, wanted);
    return {
      record,
      version: wanted,
      placed,
      parts: splitCases(
        placed.map(({ evalCase }) => evalCase),
        record.split,
      ),
    };
  }

  async function append(scope: Scope, record: DatasetRecord, change: MembershipChange, message: string, actor: Actor): Promise<SaveResult> {
    const { name } = record;
    const cases = change.result.map(({ evalCase }) => evalCase);
    const parts = splitCases(cases, record.split);
    const counts = {
      name,
      added: change.added.length - change.changed,
      changed: change.changed,
      removed: change.ended.length - change.changed,
      unchanged: change.unchanged,
      sealed: change.added.filter(({ evalCase }) => parts.get(evalCase.hash) === 'holdout').length,
      caseCount: cases.length,
    };
    if (change.added.length === 0 && change.ended.length === 0) return { ...counts, version: record.newestVersion, isNewVersion: false };
    if (record.archivedAtMs !== null)
      throw new PlimsollError('conflict', `The dataset ${name} is archived; restore it first: plimsoll datasets restore ${name}`, {
        details: { name },
      });
    if (cases.length > CASE_CAPS.datasetCases)
      throw new PlimsollError(
        'invalid_argument',
        `${name} would have ${cases.length} cases; at most ${CASE_CAPS.datasetCases} are kept. Split it.`,
        {
          details: { name },
        },
      );
    assertNoLeak(cases, record.split, new Set(change.added.map(({ evalCase }) => evalCase.hash)));
    const { version } = await store.append(scope, name, {
      parent: record.newestVersion,
      author: await nameOf(scope, actor),
      message,
      createdAtMs: clock.nowMs(),
      caseCount: cases.length,
      contentHash: hashOfCases(cases),
      ended: change.ended,
      added: change.added,
    });
    return { ...counts, version, isNewVersion: true };
  }

  function assertParent(record: DatasetRecord, parent: number | null): void {
    if (parent === null || parent === record.newestVersion) return;
    const what = parent === 0 ? 'by somebody who knew no version of it' : `on version ${parent}`;
    throw new PlimsollError(
      'conflict',
      `${record.name} is at version ${record.newestVersion}, and this change was made ${what}. Look at "plimsoll datasets diff", pull, and push again. Nothing was saved.`,
      {
        details: { name: record.name, newestVersion: record.newestVersion, parent },
      },
    );
  }

  async function openHoldout(
    scope: Scope,
    name: string,
    version: number | null,
    { reason }: HoldoutOpening,
    actor: Actor,
  ): Promise<number> {
    const atMs = clock.nowMs();
    const openedBy = await nameOf(scope, actor);
    await store.recordOpening(scope, name, { id: newUuidV7(atMs), version, reason, openedBy, atMs });
    const openings = (await store.openings(scope, name)).length;
    await eventLog.append(scope, {
      name: 'dataset.holdout_opened',
      subject: `dataset/${name}`,
      severity: 'warning',
      message: `${openedBy} opened the sealed holdout of ${name}${version === null ? ' by another split' : `, version ${version}`}: ${reason} (opening ${openings})`,
      details: { dataset: name, version, reason, openings },
      atMs,
    });
    return openings;
  }

  return {
    list: (scope) => store.list(scope),
    get,
    versions: (scope, name) => store.versions(scope, name),
    openings: (scope, name) => store.openings(scope, name),
    async save(scope, name, { cases, mode, message, parent }, actor) {
      if (!DATASET_NAME.test(name))
        throw new PlimsollError(
          'invalid_argument',
          `${JSON.stringify(name)} is no name for a dataset; use small letters, digits, ".", "_" and "-", such as support-refunds`,
          {
            details: { param: 'name', name },
          },
        );
      const existing = await store.get(scope, name);
      const record: DatasetRecord = existing ?? {
        name,
        description: '',
        split: null,
        newestVersion: 0,
        createdAtMs: clock.nowMs(),
        archivedAtMs: null,
      };
      const placed = await placedCases(scope, name, record.newestVersion);
      const parts = splitCases(
        placed.map(({ evalCase }) => evalCase),
        record.split,
      );
      const sealed = new Set([...parts].filter(([, part]) => part === 'holdout').map(([hash]) => hash));
      const change = planMembership(placed, cases, mode, sealed);
      // Who saves what is there already is in conflict with nobody.
      if (change.added.length > 0 || change.ended.length > 0) assertParent(record, parent);
      if (existing === null) await store.create(scope, record);
      return append(scope, record, change, message, actor);
    },
    async remove(scope, name, hashes, message, actor) {
      const { record, placed, parts } = await read(scope, name, null);
      for (const hash of hashes)
        if (!parts.has(hash) || parts.get(hash) === 'holdout')
          throw new PlimsollError('not_found', `${name} has no open case ${hash.slice(0, 12)}.`, { details: { name, hash } });
      const ended = new Set(hashes);
      const result = placed.filter(({ evalCase }) => !ended.has(evalCase.hash));
      return append(scope, record, { ended: [...ended], added: [], changed: 0, unchanged: result.length, result }, message, actor);
    },
    async change(scope, name, { description, isArchived }) {
      const record = await get(scope, name);
      const archivedAtMs = isArchived === undefined ? record.archivedAtMs : isArchived ? (record.archivedAtMs ?? clock.nowMs()) : null;
      await store.change(scope, name, { description: description ?? record.description, archivedAtMs });
      return get(scope, name);
    },
    async setSplit(scope, name, split, reason, actor) {
      const { record, placed, parts } = await read(scope, name, null);
      if (JSON.stringify(record.split) === JSON.stringify(split)) return record;
      const cases = placed.map(({ evalCase }) => evalCase);
      assertNoLeak(cases, split, null);
      const after = splitCases(cases, split);
      const unsealed = [...parts].filter(([hash, part]) => part === 'holdout' && after.get(hash) !== 'holdout').length;
      if (unsealed > 0 && reason === null)
        throw new PlimsollError(
          'conflict',
          `This split would open ${unsealed} sealed case${unsealed === 1 ? '' : 's'} of ${name}. Give a reason (--open-holdout "why"): it is counted.`,
          {
            details: { name, unsealed, param: 'reason' },
          },
        );
      if (unsealed > 0 && reason !== null) await openHoldout(scope, name, null, { reason }, actor);
      await store.change(scope, name, { split });
      return get(scope, name);
    },
    read,
    async diff(scope, name, from, to) {
      const before = await read(scope, name, from);
      const after = await read(scope, name, to);
      const openOf = ({ placed, parts }: OpenDataset): EvalCase[] =>
        placed.flatMap(({ evalCase }) => (parts.get(evalCase.hash) === 'holdout' ? [] : [evalCase]));
      const sealedOf = ({ placed, parts }: OpenDataset): Set<string> =>
        new Set(placed.flatMap(({ evalCase }) => (parts.get(evalCase.hash) === 'holdout' ? [evalCase.hash] : [])));
      return { ...diffCases(openOf(before), openOf(after)), sealedDifferences: sealedOf(before).symmetricDifference(sealedOf(after)).size };
    },
    async check(scope, name, version) {
      const opened = await read(scope, name, version);
      return {
        version: opened.version,
        ...checkCases(
          opened.placed.map(({ evalCase }) => evalCase),
          opened.parts,
        ),
      };
    },
    openHoldout,
    source: (scope, actor) => ({
      async open(reference, { parts: wanted, holdout } = {}) {
        const parsed = parseCaseReference(reference);
        if (parsed.kind === 'file')
          throw new PlimsollError(
            'invalid_argument',
            `${parsed.path} is a file; the server reads datasets. Push it first: plimsoll datasets push ${parsed.path}`,
            {
              details: { reference },
            },
          );
        const { version, placed, parts } = await read(scope, parsed.name, parsed.version);
        if (wanted?.includes('holdout') === true && holdout === undefined)
          throw new PlimsollError(
            'permission_denied',
            `The holdout of ${parsed.name} is sealed: say why it is opened (--open-holdout "why"); it is counted.`,
            {
              details: { name: parsed.name },
            },
          );
        const isWanted = (part: CasePart): boolean => (wanted === undefined ? part === 'train' || part === 'dev' : wanted.includes(part));
        const cases = placed.flatMap(({ evalCase }) => (isWanted(parts.get(evalCase.hash) ?? 'excluded') ? [evalCase] : []));
        const sealedCount = wanted?.includes('holdout') === true ? 0 : countParts(parts).holdout;
        const openings =
          wanted?.includes('holdout') === true && holdout !== undefined
            ? await openHoldout(scope, parsed.name, version, holdout, actor)
            : (await store.openings(scope, parsed.name)).length;
        return {
          name: parsed.name,
          version,
          contentHash: hashOfCases(cases),
          count: cases.length,
          sealedCount,
          holdoutOpenings: openings,
          async *cases() {
            yield* cases;
          },
        };
      },
    }),
  };
}
