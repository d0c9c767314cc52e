import { type Difficulty, pick, type Random } from './day.ts';

/**
 * Questions that are asked once, of known difficulty. Written for this bench, apart from the prompts that the gateway's classifier was trained on.
 * `#` stands for something else in every question.
 */
const PROMPTS: Readonly<Record<Difficulty, readonly string[]>> = {
  simple: [
    'What does the abbreviation # mean?',
    'Is # a noun or a verb?',
    'Translate "#" into German.',
    'Classify the mood of this message as good or bad: "#"',
    'What is the plural of #?',
    'Extract the order number from this line: "order # was sent"',
  ],
  medium: [
    'Summarise the following meeting notes in five bullet points and name who does what: #',
    'Write a friendly e-mail of about 120 words to a customer whose delivery of # is two weeks late, with an apology and an offer.',
    'Compare # for a small team: list three advantages and three drawbacks of each and say for whom it fits.',
    'Turn this product description into a table with the columns feature, benefit and limit: #',
    'Draft an agenda for a one hour workshop about #, with times and goals for each part.',
  ],
  complex: [
    'Our service loses about one message in ten thousand between the queue and the database. Here is the consumer code: ```ts\nfor await (const m of queue) { await db.insert(m.id, "#"); m.ack(); }\n``` Find every way in which a message can be lost or doubled, prove each with an interleaving, and redesign it step by step.',
    'Prove that the algorithm for # terminates and derive its worst case complexity; then show with a counterexample why the greedy variant is wrong.',
    'Design the data model and the migration plan for moving # from one database to three regions without downtime. Consider consistency, ordering, rollback and cost, and justify each trade-off.',
    'Given the constraints x + 2y ≤ 14, 3x − y ≥ 0 and x − y ≤ 2 and the objective 3x + 4y for #, derive the optimum by hand, show each step, and discuss how it changes when the second constraint is relaxed.',
    'Review this contract clause by clause for conflicts with the one before, weigh the legal risks of each against the others and propose a negotiation strategy in stages: #',
  ],
};

const SYLLABLES = ['ka', 'lo', 'mi', 'ren', 'ta', 'vo', 'sel', 'nu', 'par', 'dis', 'or', 'ble'];
const WORDS: Readonly<Record<Difficulty, number>> = { simple: 2, medium: 30, complex: 12 };

/** Of ten such questions about five are simple, three medium and two complex. */
export function mixedPrompt(random: Random): { readonly text: string; readonly difficulty: Difficulty } {
  const roll = random();
  const difficulty = roll < 0.5 ? 'simple' : roll < 0.8 ? 'medium' : 'complex';
  const words = Array.from({ length: WORDS[difficulty] }, () =>
    Array.from({ length: 2 + Math.floor(random() * 3) }, () => pick(random, SYLLABLES)).join(''),
  );
  return { text: pick(random, PROMPTS[difficulty]).replace('#', words.join(' ')), difficulty };
}
