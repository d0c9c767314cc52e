import { canonicalJson, type JsonValue } from './json-value.ts';
import type { EvalCase } from './model.ts';
import type { CasePart } from './source.ts';

/** Characters of a shingle. */
const WIDTH = 5;
/** Characters of an input that are looked at. */
const TEXT_CAP = 20_000;
const BANDS = 20;
const ROWS = 4;
/** Of a bucket, how many earlier members a text is compared with: a bucket of boilerplate must not cost its square. */
const BUCKET_CAP = 64;

/** Pairs told of one text: boilerplate is alike in thousands of places, and a few tell it. */
const PAIRS_CAP = 8;

export const NEAR_DUPLICATE_SIMILARITY = 0.8;

export interface DuplicatePair {
  readonly left: string;
  readonly right: string;
  /** Jaccard similarity of the shingles; 1 = the same normalised text. Exact, not estimated. */
  readonly similarity: number;
}

/** Letters and digits of any script, lower case, in Unicode's compatibility form: what changes no meaning makes no difference. */
export function normalisedText(text: string): string {
  return text
    .slice(0, TEXT_CAP)
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
}

/** All that is asked. Of a conversation what the user said: a system prompt that every case has would make all of them alike. */
function inputText({ input }: Pick<EvalCase, 'input'>): string {
  const texts: string[] = [];
  const collect = (value: JsonValue): void => {
    if (typeof value === 'string') texts.push(value);
    else texts.push(canonicalJson(value));
  };
  for (const value of Object.values(input.variables)) collect(value);
  const asked = input.messages.filter(({ role }) => role === 'user');
  for (const { content } of asked.length > 0 ? asked : input.messages) collect(content);
  for (const { sha256 } of input.files) texts.push(sha256);
  return texts.join('\n');
}

export function shinglesOf(text: string): Set<string> {
  const padded = text.length < WIDTH ? text.padEnd(WIDTH, '\0') : text;
  const shingles = new Set<string>();
  for (let at = 0; at + WIDTH <= padded.length; at++) shingles.add(padded.slice(at, at + WIDTH));
  return shingles;
}

export function jaccard(left: ReadonlySet<string>, right: ReadonlySet<string>): number {
  const [small, large] = left.size <= right.size ? [left, right] : [right, left];
  let shared = 0;
  for (const shingle of small) if (large.has(shingle)) shared++;
  return shared / (left.size + right.size - shared);
}

function hash32(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return mix(hash);
}

/** A bijection of 32 bits that spreads (MurmurHash3's last step). */
function mix(value: number): number {
  let hash = value ^ (value >>> 16);
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** @see Broder, On the resemblance and containment of documents (1997); Leskovec et al., Mining of Massive Datasets, ch. 3 */
function minHashes(shingles: ReadonlySet<string>): Uint32Array {
  const least = new Uint32Array(BANDS * ROWS).fill(0xffffffff);
  for (const shingle of shingles) {
    const hash = hash32(shingle);
    for (let index = 0; index < least.length; index++) {
      const permuted = mix(hash ^ Math.imul(index + 1, 0x9e3779b9));
      if (permuted < (least[index] ?? 0)) least[index] = permuted;
    }
  }
  return least;
}

/**
 * Pairs of cases that ask nearly the same, most alike first. Candidates by MinHash in bands (a pair at similarity 0.8 is found with probability
 * 1 − (1 − 0.8⁴)²⁰ = 0.99997), each verified exactly. Of texts that are equal after normalising, each is paired with the first;
 * of others, a case is paired with at most eight before it.
 */
export function nearDuplicates(cases: readonly EvalCase[], least: number = NEAR_DUPLICATE_SIMILARITY): DuplicatePair[] {
  const firstOf = new Map<string, string>();
  const pairs: DuplicatePair[] = [];
  const buckets = new Map<string, number[]>();
  const texts: { hash: string; text: string }[] = [];
  for (const each of cases) {
    const text = normalisedText(inputText(each));
    if (text === '') continue;
    const first = firstOf.get(text);
    if (first !== undefined) {
      pairs.push({ left: first, right: each.hash, similarity: 1 });
      continue;
    }
    firstOf.set(text, each.hash);
    const shingles = shinglesOf(text);
    const signature = minHashes(shingles);
    const compared = new Set<number>();
    for (let band = 0; band < BANDS; band++) {
      const key = `${band}:${signature.subarray(band * ROWS, (band + 1) * ROWS).join()}`;
      const bucket = buckets.get(key);
      if (bucket === undefined) buckets.set(key, [texts.length]);
      else {
        for (const other of bucket.slice(-BUCKET_CAP)) compared.add(other);
        bucket.push(texts.length);
      }
    }
    let told = 0;
    for (const index of compared) {
      const other = texts[index];
      if (other === undefined || told >= PAIRS_CAP) continue;
      const similarity = jaccard(shingles, shinglesOf(other.text));
      if (similarity < least) continue;
      pairs.push({ left: other.hash, right: each.hash, similarity });
      told++;
    }
    texts.push({ hash: each.hash, text });
  }
  return pairs.sort((a, b) => b.similarity - a.similarity);
}

/** Pairs that stand on two sides of a split: what is asked in one part is known from the other. */
export function leaksOf(pairs: readonly DuplicatePair[], parts: ReadonlyMap<string, CasePart>): DuplicatePair[] {
  return pairs.filter(({ left, right }) => {
    const [a, b] = [parts.get(left), parts.get(right)];
    return a !== b && a !== 'excluded' && b !== 'excluded';
  });
}
