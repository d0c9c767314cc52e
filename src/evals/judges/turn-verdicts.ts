import { type Score, unmeasured } from '../score.ts';
import type { ScoringTools, Subject } from '../scorer.ts';
import { share } from './claim-arithmetic.ts';
import { transcript, turnsOf } from './conversation.ts';
import { atLeast } from './judged-scorer.ts';
import type { JudgePrompt } from './prompt.ts';
import { askVerdicts } from './statements.ts';

/** Share of the assistant's turns that the prompt says "yes" to, from one question about the whole conversation. */
export async function scoreTurns(
  tools: ScoringTools,
  subject: Subject,
  prompt: JudgePrompt,
  values: Readonly<Record<string, string>>,
  { threshold, fault, first = 0 }: { readonly threshold: number | undefined; readonly fault: string; readonly first?: number },
): Promise<Score> {
  const turns = turnsOf(subject);
  const judged = turns.slice(first).map(({ assistant }) => assistant);
  if (judged.length === 0) return unmeasured(`The conversation has ${turns.length} turns; ${first + 1} are needed.`);
  const items = judged.map((text, index) => `Turn ${index + first + 1}: ${text}`);
  const verdicts = await askVerdicts(tools, prompt, { ...values, conversation: transcript(turns) }, items);
  const isGood = verdicts.map(({ verdict }) => verdict !== 'no');
  const bad = isGood.flatMap((good, index) => (good ? [] : [index + first + 1]));
  const score = share(isGood);
  if (score === null) return unmeasured('No turn was judged.');
  return atLeast(score, threshold, bad.length === 0 ? `No turn ${fault}.` : `Turns ${bad.join(', ')} of ${turns.length}: ${fault}.`);
}
