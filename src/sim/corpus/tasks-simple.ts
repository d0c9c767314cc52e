import { type TaskTemplate, taskTemplate } from './task-template.ts';

const DAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];
const NAMES = ['Ingrid Solberg', 'Jonas Keller', 'Lucía Navarro', 'Tom Okafor', 'Mei Tanaka', 'Rui Almeida'];
const TRANSLATIONS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  German: { boat: 'Boot', rope: 'Seil', harbour: 'Hafen', wind: 'Wind', anchor: 'Anker', sail: 'Segel' },
  French: { boat: 'bateau', rope: 'corde', harbour: 'port', wind: 'vent', anchor: 'ancre', sail: 'voile' },
  Spanish: { boat: 'barco', rope: 'cuerda', harbour: 'puerto', wind: 'viento', anchor: 'ancla', sail: 'vela' },
};
const REVIEWS: Readonly<Record<string, string>> = {
  'The rope is great and came a day early.': 'positive',
  'Best jacket I ever owned, dry after six hours of rain.': 'positive',
  'Friendly people, quick answer, fair price.': 'positive',
  'The zip broke on the second day.': 'negative',
  'It took three weeks and the colour is wrong.': 'negative',
  'I want my money back, the bag leaks.': 'negative',
};

/** A positive whole number of at most nine digits; null for anything else. */
export function wholeNumber(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : null;
}

/** Questions that any model answers: one step. */
export const SIMPLE_TASKS: readonly TaskTemplate[] = [
  taskTemplate({
    id: 'sum',
    difficulty: 'simple',
    phrasings: ['What is {a} + {b}?', 'How much is {a} plus {b}?', 'Add {a} and {b}.'],
    draw: (random) => ({ a: `${10 + random.integer(990)}`, b: `${10 + random.integer(990)}` }),
    solve({ a, b }) {
      const [left, right] = [wholeNumber(a), wholeNumber(b)];
      return left === null || right === null ? null : `${left + right}`;
    },
    method: 'I add the two numbers.',
  }),
  taskTemplate({
    id: 'centimetres',
    difficulty: 'simple',
    phrasings: ['How many centimetres are {m} metres?', 'Convert {m} metres to centimetres.'],
    draw: (random) => ({ m: `${2 + random.integer(400)}` }),
    solve({ m }) {
      const metres = wholeNumber(m);
      return metres === null ? null : `${metres * 100}`;
    },
    method: 'One metre has a hundred centimetres.',
  }),
  taskTemplate({
    id: 'weekday',
    difficulty: 'simple',
    phrasings: ['Which day of the week comes {n} days after {day}?', 'Today is {day}. What day is it in {n} days?'],
    draw: (random) => ({ n: `${2 + random.integer(5)}`, day: random.pick(DAYS) }),
    solve({ n, day }) {
      const [count, from] = [wholeNumber(n), DAYS.indexOf(day ?? '')];
      return count === null || from < 0 ? null : (DAYS[(from + count) % 7] ?? null);
    },
    others: () => DAYS,
    method: 'I count the days of the week onwards.',
  }),
  taskTemplate({
    id: 'extract-mail',
    texts: ['name'],
    difficulty: 'simple',
    phrasings: [
      'Extract the e-mail address: "{name} wrote on Monday that invoices go to {mail} from now on."',
      'Which e-mail address is in this note? "Call {name} back, or write to {mail} before noon."',
    ],
    draw(random) {
      const name = random.pick(NAMES);
      return { name, mail: `${name.split(' ')[1]?.toLowerCase()}${random.integer(90) + 10}@marina-westhaven.example` };
    },
    solve: ({ mail }) => (mail !== undefined && /^\S+@\S+\.example$/.test(mail) ? mail : null),
    others: ({ mail }) => [`info@${mail?.split('@')[1] ?? 'marina-westhaven.example'}`, 'invoices@tidemark.example'],
    method: 'It is the only address in the text.',
  }),
  taskTemplate({
    id: 'sentiment',
    texts: ['review'],
    difficulty: 'simple',
    phrasings: ['Is this review positive or negative? "{review}"', 'Classify the sentiment as positive or negative: "{review}"'],
    draw: (random) => ({ review: random.pick(Object.keys(REVIEWS)) }),
    solve: ({ review }) => (review !== undefined && Object.hasOwn(REVIEWS, review) ? (REVIEWS[review] ?? null) : null),
    others: () => ['positive', 'negative'],
    method: 'The words of the review are clear.',
  }),
  taskTemplate({
    id: 'translate-word',
    difficulty: 'simple',
    phrasings: ['What is the {language} word for "{word}"?', 'Translate "{word}" into {language}, one word only.'],
    draw(random) {
      const language = random.pick(Object.keys(TRANSLATIONS));
      return { language, word: random.pick(Object.keys(TRANSLATIONS[language] ?? {})) };
    },
    solve({ language, word }) {
      const dictionary = language !== undefined && Object.hasOwn(TRANSLATIONS, language) ? TRANSLATIONS[language] : undefined;
      return dictionary !== undefined && word !== undefined && Object.hasOwn(dictionary, word) ? (dictionary[word] ?? null) : null;
    },
    others: ({ language }) => Object.values(TRANSLATIONS[language ?? ''] ?? {}),
    method: 'It is a common word.',
  }),
];
