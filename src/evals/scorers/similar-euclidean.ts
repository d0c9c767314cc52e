import { defineJudgedScorer } from '../judges/judged-scorer.ts';
import { SimilarOptions, scoreSimilarity } from '../judges/similarity.ts';

export default defineJudgedScorer({
  names: ['similar:euclidean'],
  summary: 'Distance of the embeddings of the output and of a text, as 1 / (1 + distance).',
  source: 'promptfoo similar:euclidean: |a − b| ≤ threshold (0.75), of several texts the nearest',
  direction: 'higher',
  needs: ['embedder'],
  options: SimilarOptions,
  score: (subject, options, tools) => scoreSimilarity(subject, options, tools, 'euclidean distance'),
});
