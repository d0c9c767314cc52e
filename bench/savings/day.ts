/** One day of questions to a support feature, seeded: what is asked, which answer is right, and how hard it is. */
import { mixedPrompt } from './mixed-prompts.ts';

export type Difficulty = 'simple' | 'medium' | 'complex';
/** How a question is worded, compared with the plainest way to ask it. */
export type Wording = 'plain' | 'near' | 'idle' | 'paraphrase' | 'unique';
/** What two questions differ in that look alike and have different answers; null = the question is not planted. */
export type Plant = 'numbers' | 'negation' | 'names' | 'swapped names' | 'opposites' | 'plural';

export interface Question {
  readonly atMs: number;
  readonly text: string;
  /** Answers with the same id are right for each other's questions. */
  readonly answerId: string;
  readonly difficulty: Difficulty;
  readonly wording: Wording;
  readonly plant: Plant | null;
  /** Clients that ask it in the same moment. */
  readonly copies: number;
}

export interface Topic {
  readonly answerId: string;
  readonly text: string;
  readonly paraphrases: readonly string[];
  readonly difficulty: Difficulty;
  readonly plant: Plant | null;
}

export type Random = () => number;

/** mulberry32: the same seed gives the same day. */
export function seeded(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export function pick<T>(random: Random, values: readonly T[]): T {
  return values[Math.floor(random() * values.length)] as T; // lists here are not empty
}

const FAQ: readonly (readonly [string, ...string[]])[] = [
  ['How do I reset my password', 'I forgot my password, what now', 'My login stopped working and I need a new password'],
  ['How do I change the delivery address of my order', 'My parcel should go somewhere else'],
  ['How long does the standard delivery take', 'When will a normal parcel arrive'],
  ['What is the refund policy', 'Under which conditions do you give money back'],
  ['How do I cancel my subscription', 'I want to end my plan'],
  ['Where do I find the invoice', 'I need the bill of my last purchase as a file'],
  ['How do I contact the support team', 'Is there a phone number for help'],
  ['Which payment methods do you accept', 'Can I pay by card or by bank transfer'],
  ['How do I track my parcel', 'Where is the thing that I bought'],
  ['How do I delete my account', 'Please erase everything you know about me'],
  ['How do I update the billing address', 'The address on our bills is wrong'],
  ['How do I redeem a gift card', 'I was given a voucher, how is it used'],
  ['What are the opening hours of the store', 'When can I visit your shop'],
  ['How do I join the loyalty programme', 'Do you have something like bonus points'],
  ['How do I report a damaged item', 'It arrived broken'],
  ['Why was the payment declined', 'My card does not work in the checkout'],
  ['How do I download the mobile app', 'Is there something for my phone'],
  ['How do I add another user to the team', 'My colleague needs access too'],
  ['What is the warranty on the products', 'How long is a device covered'],
  ['How do I apply a discount code', 'The coupon field is missing'],
];

function planted(): Topic[] {
  const topics: Topic[] = [];
  const add = (plant: Plant, text: string): void => {
    topics.push({ answerId: `${plant}: ${text}`, text, paraphrases: [], difficulty: 'simple', plant });
  };
  for (const item of ['shoes', 'laptop', 'winter jacket'])
    for (const days of [14, 30, 60, 90]) add('numbers', `Can I return the ${item} after ${days} days without the original box`);
  for (const part of ['phone support', 'daily backups', 'single sign-on', 'unlimited storage']) {
    add('negation', `Which of the plans for small teams include ${part}`);
    add('negation', `Which of the plans for small teams do not include ${part}`);
    add('opposites', `How do I enable ${part} for the whole team`);
    add('opposites', `How do I disable ${part} for the whole team`);
  }
  for (const product of ['Slack', 'Teams', 'Zoom', 'Jira']) {
    add('names', `Does the mobile app work together with ${product} on a tablet`);
    for (const other of ['slack', 'notion'].filter((name) => name !== product.toLowerCase()))
      add('swapped names', `How do I move all of my notes from ${product.toLowerCase()} over to ${other}`);
  }
  add('swapped names', 'How do I move all of my notes from notion over to zoom');
  add('swapped names', 'How do I move all of my notes from slack over to zoom');
  return topics;
}

/** Questions that only a plural tells apart although their answers differ: nothing but looking at the answers finds them. */
function misleadingPlurals(): Topic[] {
  const words = ['credit', 'return', 'point', 'claim', 'saving', 'good', 'custom', 'arm', 'glass', 'content'];
  const frames = ['Where do I see my NOUN in the overview of the account', 'How do I hand my NOUN over to somebody else'];
  return frames.flatMap((frame) =>
    words.flatMap((word) =>
      [word, `${word}s`].map((form) => {
        const text = frame.replace('NOUN', form);
        return { answerId: `plural: ${text}`, text, paraphrases: [], difficulty: 'simple' as const, plant: 'plural' as const };
      }),
    ),
  );
}

/** Everything that is asked more than once. @param misleads also plant questions that no guard tells apart */
export function topics(misleads: boolean): Topic[] {
  const faq = FAQ.map(([text, ...paraphrases]) => ({
    answerId: `faq: ${text}`,
    text,
    paraphrases,
    difficulty: 'simple' as const,
    plant: null,
  }));
  return [...faq, ...planted(), ...(misleads ? misleadingPlurals() : [])];
}

/** Differs in case, white space and sentence punctuation. */
function near(random: Random, text: string): string {
  const first = random() < 0.5 ? text.charAt(0).toLowerCase() + text.slice(1) : text;
  const spaced = random() < 0.4 ? first.replace(' ', '  ') : first;
  return `${spaced}${pick(random, ['', '?', '??', '!', ' ?', '?!'])}`;
}

/** Differs in words that carry nothing. */
function idle(random: Random, text: string): string {
  let worded = text.replace(/^How do I/, pick(random, ['How can I', 'How could I', 'How do we']));
  if (random() < 0.3) worded = worded.replace(/ the /, ' ');
  if (random() < 0.3) worded = `${pick(random, ['Hi, ', 'Hello, ', 'Please, '])}${worded.charAt(0).toLowerCase()}${worded.slice(1)}`;
  return random() < 0.4 ? `${worded}, please?` : `${worded}?`;
}

export function wordings(random: Random, topic: Topic): { readonly text: string; readonly wording: Wording } {
  const roll = random();
  if (roll < 0.45) return { text: `${topic.text}?`, wording: 'plain' };
  if (roll < 0.65) return { text: near(random, topic.text), wording: 'near' };
  if (roll < 0.87 || topic.paraphrases.length === 0) return { text: idle(random, topic.text), wording: 'idle' };
  return { text: `${pick(random, topic.paraphrases)}?`, wording: 'paraphrase' };
}

const DAY_MS = 86_400_000;

/** More at noon than at night. */
function timeOfDay(random: Random): number {
  for (;;) {
    const at = random();
    if (random() < 0.15 + 0.85 * Math.sin(Math.PI * at) ** 2) return Math.floor(at * DAY_MS);
  }
}

/** @param count questions @param all what is asked more than once */
export function makeDay(seed: number, count: number, all: readonly Topic[]): Question[] {
  const random = seeded(seed);
  // Shuffled once: which topic is asked how often has nothing to do with what it is about.
  const ranked = all.map((topic) => ({ topic, order: random() })).sort((a, b) => a.order - b.order);
  const weights = ranked.map((_, rank) => 1 / (rank + 3));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const questions = Array.from({ length: count }, (): Question => {
    const atMs = timeOfDay(random);
    if (random() < 0.4) {
      const { text, difficulty } = mixedPrompt(random);
      return { atMs, text, answerId: text, difficulty, wording: 'unique', plant: null, copies: 1 };
    }
    let left = random() * total;
    let rank = 0;
    while (rank < weights.length - 1 && left > (weights[rank] ?? 0)) left -= weights[rank++] ?? 0;
    const { topic } = ranked[rank] as (typeof ranked)[number]; // rank is in range
    const copies = random() < 0.02 ? 5 : 1;
    return { atMs, ...wordings(random, topic), answerId: topic.answerId, difficulty: topic.difficulty, plant: topic.plant, copies };
  });
  return questions.sort((a, b) => a.atMs - b.atMs);
}
