/** What the tests of judged scorers share: a judge that follows a script, an embedder that counts words, a subject. */
import type { JudgeReply, JudgeRequest, ScoringTools, Subject } from '../scorer.ts';

export const SUBJECT: Subject = {
  question: 'Where and when was Einstein born?',
  messages: [
    { role: 'system', content: 'You are a historian of physics.' },
    { role: 'user', content: 'Where and when was Einstein born?' },
  ],
  variables: {},
  output: 'Einstein was born in Germany on 20 March 1879.',
  toolCalls: [],
  finishReason: 'stop',
  reference: 'Einstein was born in Germany on 14 March 1879.',
  contexts: ['Albert Einstein (born 14 March 1879) was a German-born theoretical physicist.', 'He developed the theory of relativity.'],
  contextIds: null,
  referenceContexts: null,
  referenceContextIds: null,
  latencyMs: null,
  costUsd: null,
  isCached: false,
  logProbabilities: null,
  spans: null,
  model: 'gpt-4o',
};

export interface ScriptedTools extends ScoringTools {
  readonly requests: JudgeRequest[];
}

type Answer = string | Partial<JudgeReply>;

/** @param answer what the judge replies to the request; a list is replied in turn, its last one for ever */
export function scriptedTools(answer: Answer | readonly Answer[] | ((request: JudgeRequest, call: number) => Answer)): ScriptedTools {
  const requests: JudgeRequest[] = [];
  return {
    requests,
    judge(request) {
      const call = requests.push(request) - 1;
      const reply =
        typeof answer === 'function'
          ? answer(request, call)
          : Array.isArray(answer)
            ? ((answer as Answer[])[Math.min(call, answer.length - 1)] ?? '')
            : (answer as Answer);
      return Promise.resolve({
        text: '',
        tokens: null,
        model: 'judge',
        costUsd: null,
        ...(typeof reply === 'string' ? { text: reply } : reply),
      });
    },
    embed: (texts) => Promise.resolve(texts.map(wordVector)),
    moderate: () => Promise.resolve({ isFlagged: false, categories: [] }),
  };
}

/** Counts of words by a sum of their letters: equal texts have cosine 1. */
function wordVector(text: string): number[] {
  const vector = Array<number>(32).fill(0);
  for (const word of text.toLowerCase().match(/\p{L}+/gu) ?? []) {
    const place = [...word].reduce((sum, letter) => sum + (letter.codePointAt(0) ?? 0), 0) % 32;
    vector[place] = (vector[place] ?? 0) + 1;
  }
  return vector;
}
