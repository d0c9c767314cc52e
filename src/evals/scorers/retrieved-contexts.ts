import { z } from 'zod';
import { failed, measured, type Score, unmeasured } from '../score.ts';
import { defineScorer } from '../scorer.ts';
import { textSimilarity } from '../text/edit-distance.ts';

const threshold = z.number().min(0).max(1).optional().describe('Least score that passes; without one nothing is demanded');
const ByIds = z.strictObject({ threshold });
const ByText = z.strictObject({
  threshold,
  similarity: z
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe('From which likeness (1 − edit distance / longer length) on a passage is the same'),
});

function scored(value: number, least: number | undefined, reason: string): Score {
  return measured(value, least === undefined ? null : value >= least, reason);
}

/** Both lists, or why there is nothing to tell. */
function lists(
  retrieved: readonly string[] | null,
  reference: readonly string[] | null,
): { retrieved: readonly string[]; reference: readonly string[] } | Score {
  if (retrieved === null) return unmeasured('The run had no retrieval.');
  if (reference === null || reference.length === 0) return unmeasured('The case does not say what should be retrieved.');
  return { retrieved, reference };
}

/** The largest likeness to one of the others; null when they are too long to be compared. */
function best(text: string, others: readonly string[]): number | null {
  let largest = 0;
  for (const other of others) {
    const likeness = textSimilarity(text, other);
    if (likeness === null) return null;
    largest = Math.max(largest, likeness);
  }
  return largest;
}

/** Mean of the precisions at the places of relevant items. @see ragas, whose 1e-10 keeps an empty list from dividing by 0 */
function averagePrecision(isRelevant: readonly boolean[]): number {
  let [relevant, sum] = [0, 0];
  isRelevant.forEach((each, index) => {
    if (!each) return;
    relevant++;
    sum += relevant / (index + 1);
  });
  return sum / (relevant + 1e-10);
}

export default [
  defineScorer({
    names: ['context-recall:id'],
    summary: 'Share of the documents that should be retrieved which were, by id.',
    source: 'ragas IDBasedContextRecall: hits / reference ids.',
    direction: 'higher',
    needs: [],
    options: ByIds,
    score({ contextIds, referenceContextIds }, options) {
      const both = lists(contextIds, referenceContextIds);
      if ('state' in both) return both;
      const [wanted, found] = [new Set(both.reference), new Set(both.retrieved)];
      const hits = [...wanted].filter((id) => found.has(id)).length;
      return scored(hits / wanted.size, options.threshold, `${hits} of ${wanted.size} retrieved.`);
    },
  }),
  defineScorer({
    names: ['context-precision:id'],
    summary: 'Share of the retrieved documents that should be, by id.',
    source: 'ragas IDBasedContextPrecision: hits / retrieved ids. Nothing retrieved is not measured.',
    direction: 'higher',
    needs: [],
    options: ByIds,
    score({ contextIds, referenceContextIds }, options) {
      const both = lists(contextIds, referenceContextIds);
      if ('state' in both) return both;
      const [wanted, found] = [new Set(both.reference), new Set(both.retrieved)];
      if (found.size === 0) return unmeasured('Nothing was retrieved: there is no precision of nothing.');
      const hits = [...found].filter((id) => wanted.has(id)).length;
      return scored(hits / found.size, options.threshold, `${hits} of ${found.size} are wanted.`);
    },
  }),
  defineScorer({
    names: ['context-recall:text'],
    summary: 'Share of the passages that should be retrieved which were, by likeness of their texts.',
    source: 'ragas NonLLMContextRecall: share of the reference passages whose likeness to some retrieved one is above 0.5.',
    direction: 'higher',
    needs: ['contexts'],
    options: ByText,
    score({ contexts, referenceContexts }, options) {
      const both = lists(contexts, referenceContexts);
      if ('state' in both) return both;
      const likenesses = both.reference.map((passage) => best(passage, both.retrieved));
      if (likenesses.includes(null)) return failed('The passages are too long to be compared.');
      const hits = likenesses.filter((likeness) => (likeness ?? 0) > options.similarity).length;
      return scored(hits / both.reference.length, options.threshold, `${hits} of ${both.reference.length} retrieved.`);
    },
  }),
  defineScorer({
    names: ['context-precision:text'],
    summary: 'Whether the passages that should be retrieved stand before the others, by likeness of their texts.',
    source:
      'ragas NonLLMContextPrecisionWithReference: average precision; a passage is wanted when its likeness to a reference passage is 0.5 or more.',
    direction: 'higher',
    needs: ['contexts'],
    options: ByText,
    score({ contexts, referenceContexts }, options) {
      const both = lists(contexts, referenceContexts);
      if ('state' in both) return both;
      if (both.retrieved.length === 0) return unmeasured('Nothing was retrieved: there is no precision of nothing.');
      const likenesses = both.retrieved.map((passage) => best(passage, both.reference));
      if (likenesses.includes(null)) return failed('The passages are too long to be compared.');
      const wanted = likenesses.map((likeness) => (likeness ?? 0) >= options.similarity);
      return scored(averagePrecision(wanted), options.threshold, `${wanted.filter(Boolean).length} of ${wanted.length} are wanted.`);
    },
  }),
];
