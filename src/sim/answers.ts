import { AGENTS, type AgentScript } from './corpus/agents.ts';
import { FAQ, type FaqEntry } from './corpus/faq.ts';
import type { CorpusFeature, CorpusTurn } from './corpus/model.ts';
import { orderTurn } from './corpus/orders.ts';
import { detectLanguage, generalAnswer, PHRASES } from './general-answers.ts';
import type { SeededRandom } from './seeded-random.ts';

/** What the simulated models know. */
export interface AnswerIndex {
  /** What is said to a question: known word for word, then where an order is, then the nearest turn; null when none shares enough words. */
  find(question: string): CorpusTurn | null;
  /** The agent whose task a question is, word for word. */
  agent(question: string): AgentScript | null;
}

/** An entry of the help centre and its trap, in all their wordings. */
function faqTurns({ question, paraphrases, answer, trap }: FaqEntry): CorpusTurn[] {
  return [...[question, ...paraphrases].map((text) => ({ question: text, answer })), { question: trap.question, answer: trap.answer }];
}

/** Cosine below which a question counts as unknown: at 0.5 paraphrases still match and other topics do not. */
const MINIMUM_SIMILARITY = 0.5;
/** A longer question is compared by its beginning only. */
const COMPARED_CHARACTERS = 4_000;
const REMEMBERED_QUESTIONS = 2_000;

function wordsOf(text: string): string[] {
  return (
    text
      .slice(0, COMPARED_CHARACTERS)
      .toLowerCase()
      .match(/\p{L}{2,}|\p{N}+/gu) ?? []
  );
}

function normalised(text: string): string {
  return text
    .slice(0, COMPARED_CHARACTERS)
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
}

/** Builds the index: TF-IDF vectors of all questions, compared by cosine. */
export function createAnswerIndex(features: readonly CorpusFeature[], faq: readonly FaqEntry[] = FAQ): AnswerIndex {
  const turns: CorpusTurn[] = [
    ...features.flatMap((feature) => feature.conversations.flatMap((conversation) => conversation.turns)),
    ...faq.flatMap(faqTurns),
  ];
  const documentCounts = new Map<string, number>();
  for (const turn of turns)
    for (const word of new Set(wordsOf(turn.question))) documentCounts.set(word, (documentCounts.get(word) ?? 0) + 1);
  const inverseFrequency = (word: string): number => Math.log((turns.length + 1) / ((documentCounts.get(word) ?? 0) + 0.5));

  function weightsOf(text: string): { weights: Map<string, number>; norm: number } {
    const weights = new Map<string, number>();
    for (const word of wordsOf(text)) weights.set(word, (weights.get(word) ?? 0) + inverseFrequency(word));
    let squares = 0;
    for (const weight of weights.values()) squares += weight * weight;
    return { weights, norm: Math.sqrt(squares) };
  }

  const norms = turns.map((turn) => weightsOf(turn.question).norm);
  /** Which questions have a word, and how much it counts there: most questions share no word with one that is asked. */
  const postings = new Map<string, { readonly at: number; readonly weight: number }[]>();
  for (const [at, turn] of turns.entries())
    for (const [word, weight] of weightsOf(turn.question).weights) postings.set(word, [...(postings.get(word) ?? []), { at, weight }]);
  const exact = new Map(turns.map((turn) => [normalised(turn.question), turn]));
  const agents = new Map(AGENTS.map((agent) => [normalised(agent.question), agent]));

  function look(question: string): CorpusTurn | null {
    const known = exact.get(normalised(question));
    if (known) return known;
    const order = orderTurn(question, detectLanguage(question));
    if (order !== null) return order;
    const { weights, norm } = weightsOf(question);
    const products = new Map<number, number>();
    for (const [word, weight] of weights)
      for (const posting of postings.get(word) ?? []) products.set(posting.at, (products.get(posting.at) ?? 0) + weight * posting.weight);
    let best: CorpusTurn | null = null;
    let bestSimilarity = MINIMUM_SIMILARITY;
    for (const [at, product] of products) {
      const similarity = product / (norm * (norms[at] ?? 1));
      if (similarity >= bestSimilarity) [best, bestSimilarity] = [turns[at] ?? null, similarity];
    }
    return best;
  }

  /** A request looks several times for the same question, and traffic repeats itself. */
  const found = new Map<string, CorpusTurn | null>();
  return {
    find(question) {
      const key = question.slice(0, COMPARED_CHARACTERS);
      let turn = found.get(key);
      if (turn !== undefined) return turn;
      turn = look(question);
      if (found.size >= REMEMBERED_QUESTIONS) found.clear();
      found.set(key, turn);
      return turn;
    },
    agent: (question) => agents.get(normalised(question)) ?? null,
  };
}

/** Splits Markdown at blank lines, but never inside a code fence. */
function blocksOf(markdown: string): string[] {
  const blocks: string[] = [];
  let open = false;
  for (const part of markdown.split('\n\n')) {
    const last = blocks.length - 1;
    if (open) blocks[last] = `${blocks[last]}\n\n${part}`;
    else blocks.push(part);
    if ((part.match(/```/g) ?? []).length % 2 === 1) open = !open;
  }
  return blocks;
}

/**
 * Makes an answer shorter or longer by whole paragraphs, so that it still reads like one.
 * @param lengthFactor 1 = unchanged; 0.5 = about the first half; 2 = with more said
 */
export function fitLength(answer: string, question: string, lengthFactor: number, random: SeededRandom): string {
  const blocks = blocksOf(answer);
  if (lengthFactor < 1) return blocks.slice(0, Math.max(1, Math.round(blocks.length * lengthFactor))).join('\n\n');
  if (lengthFactor === 1 || blocks.length < 2) return answer;
  const phrases = PHRASES[detectLanguage(question)];
  const more = Math.round(blocks.length * (lengthFactor - 1) * (0.5 + random.next()));
  const extra = [...phrases.bodies, ...phrases.closers].slice(-Math.min(more, phrases.bodies.length + phrases.closers.length));
  return more === 0 ? answer : [...blocks, ...extra].join('\n\n');
}

/** Text of an answer: from the corpus when the question is known, else one made for its topic. */
export function answerText(index: AnswerIndex, question: string, lengthFactor: number, random: SeededRandom): string {
  const turn = index.find(question);
  return fitLength(turn === null ? generalAnswer(question, random) : turn.answer, question, lengthFactor, random);
}
