import { defineJudgedScorer } from '../judges/judged-scorer.ts';
import { SimilarOptions, scoreSimilarity } from '../judges/similarity.ts';

export default defineJudgedScorer({
  names: ['similar', 'similar:cosine'],
  summary: 'Cosine of the embeddings of the output and of a text.',
  source: 'promptfoo similar: a·b / (|a| |b|) ≥ threshold (0.75), of several texts the most like',
  direction: 'higher',
  needs: ['embedder'],
  options: SimilarOptions,
  score: (subject, options, tools) => scoreSimilarity(subject, options, tools, 'cosine'),
});
