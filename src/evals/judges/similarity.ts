import { z } from 'zod';
import { failed, measured, type Score, unmeasured } from '../score.ts';
import type { ScoringTools, Subject } from '../scorer.ts';

export type Vector = readonly number[];

/** 0 when one of them is zero everywhere. */
export function cosine(a: Vector, b: Vector): number {
  const lengths = Math.sqrt(dot(a, a)) * Math.sqrt(dot(b, b));
  return lengths === 0 ? 0 : dot(a, b) / lengths;
}

export function dot(a: Vector, b: Vector): number {
  return a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);
}

export function euclidean(a: Vector, b: Vector): number {
  return Math.sqrt(a.reduce((sum, value, index) => sum + (value - (b[index] ?? 0)) ** 2, 0));
}

/** One vector per text, all of one length and finite; otherwise the reason why they cannot be compared. */
export async function embedAll(tools: ScoringTools, texts: readonly string[]): Promise<readonly Vector[] | { readonly problem: string }> {
  const vectors = await tools.embed(texts);
  const length = vectors[0]?.length ?? 0;
  if (vectors.length !== texts.length) return { problem: `${texts.length} texts were to be embedded, ${vectors.length} vectors came.` };
  if (length === 0 || vectors.some((vector) => vector.length !== length)) return { problem: 'The vectors have no length in common.' };
  if (!vectors.every((vector) => vector.every((value) => Number.isFinite(value))))
    return { problem: 'A vector has a value that is no number.' };
  return vectors;
}

export const SimilarOptions = z.strictObject({
  value: z
    .union([z.string(), z.array(z.string()).min(1)])
    .describe('Text, or texts of which one suffices, to be like; absent = the reference')
    .optional(),
  threshold: z.number().default(0.75).describe('Likeness that is enough (promptfoo: 0.75); of a distance the largest allowed'),
});

type Likeness = 'cosine' | 'dot product' | 'euclidean distance';
const COMPARE: Readonly<Record<Likeness, (a: Vector, b: Vector) => number>> = {
  cosine,
  'dot product': dot,
  'euclidean distance': euclidean,
};

/**
 * Likeness of the output and the most like of the texts; of a distance d the score is 1 / (1 + d), and the distance is held against the threshold.
 */
export async function scoreSimilarity(
  subject: Subject,
  { value, threshold }: z.infer<typeof SimilarOptions>,
  tools: ScoringTools,
  likeness: Likeness,
): Promise<Score> {
  const wanted = typeof value === 'string' ? [value] : (value ?? (subject.reference === null ? [] : [subject.reference]));
  if (wanted.length === 0) return unmeasured('There is no text to compare with.');
  if (subject.output.trim() === '') return unmeasured('The output is empty: nothing to compare.');
  const vectors = await embedAll(tools, [subject.output, ...wanted]);
  if ('problem' in vectors) return failed(vectors.problem, true);
  const [output = [], ...others] = vectors;
  const isDistance = likeness === 'euclidean distance';
  const all = others.map((other) => COMPARE[likeness](output, other));
  const best = isDistance ? Math.min(...all) : Math.max(...all);
  const passed = isDistance ? best <= threshold + Number.EPSILON : best >= threshold - Number.EPSILON;
  return measured(isDistance ? 1 / (1 + best) : best, passed, `The ${likeness} is ${best.toFixed(3)}; the threshold is ${threshold}.`);
}
