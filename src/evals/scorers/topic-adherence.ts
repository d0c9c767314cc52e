import { z } from 'zod';
import { fBeta, precision, recall, topicAdherence } from '../judges/claim-arithmetic.ts';
import { transcript, turnsOf } from '../judges/conversation.ts';
import { atLeast, defineJudgedScorer, ThresholdOption } from '../judges/judged-scorer.ts';
import { askList, askVerdicts, listPrompt, textsOf, verdictPrompt } from '../judges/statements.ts';
import { unmeasured } from '../score.ts';

const TOPICS = listPrompt('You are given a conversation. List the topics that the user asked about, each in a few words.', [
  'conversation',
]);
const OURS = verdictPrompt(
  'You are given the topics that an assistant is for, and numbered topics. For each numbered topic decide whether it belongs to one of those that the assistant is for: "yes" or "no".',
  ['allowed', 'topics'],
);
const ANSWERED = verdictPrompt(
  'You are given a conversation and numbered topics that the user asked about in it. For each decide whether the assistant took it up: "yes" when it answered or tried to, "no" when it refused.',
  ['conversation', 'topics'],
);

export default defineJudgedScorer({
  names: ['topic-adherence'],
  summary: 'Whether the assistant answers what it is for, and only that.',
  source:
    'ragas metrics/_topic_adherence.py: TP = answered and allowed, FP = answered and not allowed, FN = allowed and refused; F1, precision or recall',
  direction: 'higher',
  needs: ['judge'],
  options: z.strictObject({
    value: z.array(z.string().min(1)).min(1).describe('Topics that the assistant is for'),
    threshold: ThresholdOption,
    mode: z.enum(['f1', 'precision', 'recall']).default('f1').describe('Which of the three is the score; the others are its parts'),
  }),
  judgePrompts: () => textsOf(TOPICS, OURS, ANSWERED),
  async score(subject, { value: allowed, threshold, mode }, tools) {
    const conversation = transcript(turnsOf(subject));
    const topics = await askList(tools, TOPICS, { conversation });
    const [ours, answered] = await Promise.all([
      askVerdicts(tools, OURS, { allowed: allowed.map((topic) => `- ${topic}`).join('\n') }, topics),
      askVerdicts(tools, ANSWERED, { conversation }, topics),
    ]);
    const agreement = topicAdherence(
      topics.map((_, index) => ({ isOurs: ours[index]?.verdict === 'yes', isAnswered: answered[index]?.verdict === 'yes' })),
    );
    const all = { precision: precision(agreement), recall: recall(agreement), f1: fBeta(agreement, 1) };
    const score = all[mode];
    if (score === null) return unmeasured(`Of ${topics.length} topics there is none that ${mode} could be told from.`);
    const parts = Object.entries(all).flatMap(([name, part]) => (part === null ? [] : [{ name, value: part }]));
    const { truePositives, falsePositives, falseNegatives } = agreement;
    return atLeast(
      score,
      threshold,
      `${truePositives} allowed topics answered, ${falseNegatives} refused; ${falsePositives} others answered.`,
      parts,
    );
  },
});
