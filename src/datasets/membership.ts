import { contentHash } from '../kernel/ids.ts';
import { caseIdentity, compactCase, type EvalCase, readCase } from './model.ts';
import type { PlacedCase } from './store.ts';

/**
 * `merge`: what is given comes in, or takes the place of what it is an edit of. `add`: what is there already is kept, with the tags and slices
 * that are given on top. `replace`: what is given is all that is open.
 */
export type SaveMode = 'merge' | 'add' | 'replace';

/** A case that is taken again: nothing that people made of it since is lost. */
function addedOnto(existing: EvalCase, given: EvalCase): EvalCase {
  const content = {
    ...compactCase(existing),
    tags: [...existing.tags, ...given.tags],
    slices: { ...existing.slices, ...given.slices },
    expected: { ...existing.expected, answer: existing.expected.answer ?? given.expected.answer },
  };
  return readCase(content, `case ${existing.hash.slice(0, 12)}`);
}

export interface MembershipChange {
  readonly ended: readonly string[];
  readonly added: readonly PlacedCase[];
  /** Of `added`, those that took the place of one. */
  readonly changed: number;
  readonly unchanged: number;
  readonly result: readonly PlacedCase[];
}

/** sha-256 over the hashes in order of the hashes: equal for equal cases, in whatever order they stand. */
export function hashOfCases(cases: Iterable<Pick<EvalCase, 'hash'>>): string {
  return contentHash(
    [...cases]
      .map(({ hash }) => hash)
      .sort()
      .join('\n'),
  );
}

/**
 * What has to change so that a version holds what is given. A case keeps its place when it is edited: known by its id, or by its trace when
 * exactly one on either side came from there.
 * @param sealed hashes that `replace` never takes away, since who wrote the file could not see them
 */
export function planMembership(
  current: readonly PlacedCase[],
  given: readonly EvalCase[],
  mode: SaveMode,
  sealed: ReadonlySet<string>,
): MembershipChange {
  const held = new Map(current.map((placed) => [placed.evalCase.hash, placed]));
  const identities = (cases: readonly EvalCase[]): Map<string, EvalCase | null> => {
    const found = new Map<string, EvalCase | null>();
    for (const each of cases) {
      const identity = caseIdentity(each);
      found.set(identity, found.has(identity) ? null : each);
    }
    return found;
  };
  const before = identities(current.map(({ evalCase }) => evalCase));
  const incoming = mode !== 'add' ? given : given.map((each) => addedOnto(before.get(caseIdentity(each)) ?? each, each));
  const incomingHashes = new Set(incoming.map(({ hash }) => hash));
  const now = identities(incoming);
  const ended = new Set(mode === 'replace' ? [...held.keys()].filter((hash) => !incomingHashes.has(hash) && !sealed.has(hash)) : []);
  let next = current.reduce((most, { position }) => Math.max(most, position), 0);
  let changed = 0;
  const added: PlacedCase[] = [];
  const seen = new Set<string>();
  for (const evalCase of incoming) {
    if (held.has(evalCase.hash) || seen.has(evalCase.hash)) continue;
    seen.add(evalCase.hash);
    const identity = caseIdentity(evalCase);
    const earlier = now.get(identity) === null ? null : before.get(identity);
    const place = earlier === null || earlier === undefined || incomingHashes.has(earlier.hash) ? undefined : held.get(earlier.hash);
    if (place === undefined) added.push({ position: ++next, evalCase });
    else {
      changed++;
      ended.add(place.evalCase.hash);
      added.push({ position: place.position, evalCase });
    }
  }
  const kept = current.filter(({ evalCase }) => !ended.has(evalCase.hash));
  return {
    ended: [...ended],
    added,
    changed,
    unchanged: incoming.filter(({ hash }) => held.has(hash)).length,
    result: [...kept, ...added].sort((a, b) => a.position - b.position),
  };
}

export interface CaseDiff {
  readonly added: readonly EvalCase[];
  readonly removed: readonly EvalCase[];
  readonly changed: readonly { readonly before: EvalCase; readonly after: EvalCase }[];
}

/** An edit is told as such where id or trace say so. */
export function diffCases(before: readonly EvalCase[], after: readonly EvalCase[]): CaseDiff {
  const old = new Set(before.map(({ hash }) => hash));
  const fresh = new Set(after.map(({ hash }) => hash));
  const removed = new Map<string, EvalCase[]>();
  for (const each of before) if (!fresh.has(each.hash)) removed.set(caseIdentity(each), [...(removed.get(caseIdentity(each)) ?? []), each]);
  const added: EvalCase[] = [];
  const changed: { before: EvalCase; after: EvalCase }[] = [];
  for (const each of after) {
    if (old.has(each.hash)) continue;
    const earlier = removed.get(caseIdentity(each))?.shift();
    if (earlier === undefined) added.push(each);
    else changed.push({ before: earlier, after: each });
  }
  return { added, removed: [...removed.values()].flat(), changed };
}
