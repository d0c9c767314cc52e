import type { SeededRandom } from '../seeded-random.ts';
import { type TaskTemplate, taskTemplate } from './task-template.ts';
import { wholeNumber } from './tasks-simple.ts';

const BOATS = ['Albatross', 'Brise', 'Cormorant', 'Dolphin', 'Estrela', 'Fulmar'];

function shuffled<T>(values: readonly T[], random: SeededRandom): T[] {
  const rest = [...values];
  return values.map(() => rest.splice(random.integer(rest.length), 1)[0] as T); // as many draws as there are values
}

/** `A 3 kg 10, B 5 kg 24` → pairs of weight and value. */
function itemsOf(text: string): { readonly weight: number; readonly value: number }[] | null {
  const items = text.split('; ').map((item) => /^\w+ (\d{1,3}) kg worth (\d{1,4})$/.exec(item));
  return items.length > 12 || items.includes(null)
    ? null
    : items.map((match) => ({ weight: Number(match?.[1]), value: Number(match?.[2]) }));
}

/** Most value that fits, by trying every choice. */
function bestValue(items: readonly { readonly weight: number; readonly value: number }[], limit: number): number {
  let best = 0;
  for (let choice = 0; choice < 2 ** items.length; choice++) {
    const chosen = items.filter((_, at) => (choice >> at) & 1);
    if (chosen.reduce((sum, item) => sum + item.weight, 0) <= limit)
      best = Math.max(
        best,
        chosen.reduce((sum, item) => sum + item.value, 0),
      );
  }
  return best;
}

/** The order that "X came in directly behind Y" sentences fix; null when they do not fix one. */
function orderOf(clues: string): readonly string[] | null {
  const behind = new Map<string, string>();
  for (const clue of clues.split(' ').length > 200 ? [] : clues.split('. ')) {
    const match = /^(\w+) came in directly behind (\w+)$/.exec(clue.replace(/\.$/, ''));
    if (match?.[1] === undefined || match[2] === undefined) return null;
    behind.set(match[2], match[1]);
  }
  const followers = new Set(behind.values());
  let at = [...behind.keys()].find((name) => !followers.has(name));
  const order: string[] = [];
  while (at !== undefined && order.length < 20) {
    order.push(at);
    at = behind.get(at);
  }
  return order.length === behind.size + 1 ? order : null;
}

/** Least cost of exactly so many metres from spools of 10 and 25 m and single metres. */
function cheapest(metres: number, ten: number, twentyFive: number, single: number): number {
  const cost = [0];
  for (let length = 1; length <= metres; length++)
    cost[length] = Math.min(
      (cost[length - 1] ?? 0) + single,
      length >= 10 ? (cost[length - 10] ?? 0) + ten : Number.POSITIVE_INFINITY,
      length >= 25 ? (cost[length - 25] ?? 0) + twentyFive : Number.POSITIVE_INFINITY,
    );
  return cost[metres] ?? 0;
}

const numbers = (...texts: readonly (string | undefined)[]): number[] | null => {
  const read = texts.map(wholeNumber);
  return read.includes(null) ? null : read.map(Number);
};

/** Questions in which many steps, choices or conditions depend on each other. */
export const COMPLEX_TASKS: readonly TaskTemplate[] = [
  taskTemplate({
    id: 'critical-path',
    difficulty: 'complex',
    phrasings: [
      'Refitting a boat has five jobs. Sanding takes {a} h. Painting takes {b} h and needs sanding. Rigging takes {c} h and needs sanding. Launching takes {d} h and needs painting and rigging. Electrics take {e} h and need rigging. With enough people, after how many hours is everything done at the earliest?',
      'Plan this refit and give the shortest possible duration in hours: sanding {a} h; painting {b} h after sanding; rigging {c} h after sanding; launching {d} h after painting and rigging; electrics {e} h after rigging. Jobs may run side by side.',
    ],
    draw: (random) => Object.fromEntries(['a', 'b', 'c', 'd', 'e'].map((name) => [name, `${2 + random.integer(14)}`])),
    solve({ a, b, c, d, e }) {
      const read = numbers(a, b, c, d, e);
      if (read === null) return null;
      const [sand = 0, paint = 0, rig = 0, launch = 0, electrics = 0] = read;
      return `${sand + Math.max(Math.max(paint, rig) + launch, rig + electrics)}`;
    },
    method: 'Every job starts when the last job that it needs is done; the longest chain decides.',
  }),
  taskTemplate({
    id: 'knapsack',
    texts: ['items'],
    difficulty: 'complex',
    phrasings: [
      'A dinghy may carry {limit} kg. We can take any of these crates, each once: {items}. What is the highest total value?',
      'Choose crates for the highest total value without exceeding {limit} kg; each may be taken once: {items}. What is that value?',
    ],
    draw: (random) => ({
      limit: `${14 + random.integer(12)}`,
      items: ['A', 'B', 'C', 'D', 'E', 'F'].map((name) => `${name} ${2 + random.integer(9)} kg worth ${5 + random.integer(60)}`).join('; '),
    }),
    solve({ limit, items }) {
      const [most, list] = [wholeNumber(limit), itemsOf(items ?? '')];
      return most === null || list === null ? null : `${bestValue(list, most)}`;
    },
    method: 'Taking the best value per kilogram first can leave room unused, so I compare the combinations that fit.',
  }),
  taskTemplate({
    id: 'regatta-order',
    texts: ['clues'],
    difficulty: 'complex',
    phrasings: ['In a regatta: {clues} Which boat came in number {place}?', 'Find the order of the boats. {clues} Who was number {place}?'],
    draw(random) {
      const order = shuffled(BOATS, random);
      const clues = order.slice(1).map((name, at) => `${name} came in directly behind ${order[at]}`);
      return { clues: `${shuffled(clues, random).join('. ')}.`, place: `${1 + random.integer(order.length)}` };
    },
    solve({ clues, place }) {
      const [order, at] = [orderOf(clues ?? ''), wholeNumber(place)];
      return order === null || at === null ? null : (order[at - 1] ?? null);
    },
    others: () => BOATS,
    method: 'The boat that is behind nobody is first; from there I follow the chain.',
  }),
  taskTemplate({
    id: 'recursion',
    difficulty: 'complex',
    phrasings: [
      'What does f({n}) return? `function f(n) { return n < 2 ? n + {a} : f(n - 1) + {b} * f(n - 2); }`',
      'Work out f({n}) without running it: `function f(n) { return n < 2 ? n + {a} : f(n - 1) + {b} * f(n - 2); }`',
    ],
    draw: (random) => ({ n: `${5 + random.integer(5)}`, a: `${1 + random.integer(4)}`, b: `${2 + random.integer(3)}` }),
    solve({ n, a, b }) {
      const read = numbers(n, a, b);
      if (read === null || (read[0] ?? 0) > 40) return null;
      const [steps = 0, add = 0, times = 0] = read;
      const values = [add, 1 + add];
      for (let at = 2; at <= steps; at++) values[at] = (values[at - 1] ?? 0) + times * (values[at - 2] ?? 0);
      const value = values[steps] ?? 0;
      return Number.isSafeInteger(value) ? `${value}` : null;
    },
    method: 'I start with f(0) and f(1) and work upwards, each value from the two before it.',
  }),
  taskTemplate({
    id: 'divisible',
    difficulty: 'complex',
    phrasings: [
      'How many whole numbers from 1 to {n} are divisible by {a} or by {b}, but not by {c}?',
      'Count the whole numbers from 1 to {n} that {a} or {b} divides and {c} does not.',
    ],
    draw: (random) => ({
      n: `${150 + random.integer(350)}`,
      a: random.pick(['4', '6']),
      b: random.pick(['9', '10', '15']),
      c: random.pick(['5', '7', '8']),
    }),
    solve({ n, a, b, c }) {
      const read = numbers(n, a, b, c);
      if (read === null || read.includes(0) || (read[0] ?? 0) > 100_000) return null;
      const [last = 0, first = 1, second = 1, never = 1] = read;
      let count = 0;
      for (let at = 1; at <= last; at++) if ((at % first === 0 || at % second === 0) && at % never !== 0) count++;
      return `${count}`;
    },
    method: 'I count the multiples of each, take off what is counted twice, and then all multiples of the excluded number.',
  }),
  taskTemplate({
    id: 'cheapest-rope',
    difficulty: 'complex',
    phrasings: [
      'We need exactly {metres} m of rope. A spool of 10 m costs {ten} euros, a spool of 25 m {twentyfive} euros, a single metre {single} euros. What is the least that we can pay, in euros?',
      'What is the cheapest way to buy exactly {metres} m of rope, in euros, if 10 m cost {ten}, 25 m cost {twentyfive} and one metre costs {single}?',
    ],
    draw: (random) => ({
      metres: `${37 + random.integer(80)}`,
      ten: `${18 + random.integer(10)}`,
      twentyfive: `${42 + random.integer(20)}`,
      single: `${3 + random.integer(2)}`,
    }),
    solve({ metres, ten, twentyfive, single }) {
      const read = numbers(metres, ten, twentyfive, single);
      if (read === null || (read[0] ?? 0) > 10_000) return null;
      const [length = 0, small = 0, large = 0, one = 0] = read;
      return `${cheapest(length, small, large, one)}`;
    },
    method: 'The largest spools first are not always cheapest, so I compare how many of each fill the length.',
  }),
  taskTemplate({
    id: 'codes',
    difficulty: 'complex',
    phrasings: [
      'A lock has codes of {n} letters from {k} letters. No letter may stand beside itself, and the first and the last letter differ. How many codes are there?',
      'How many strings of length {n} over {k} letters have no two equal letters side by side and a last letter that differs from the first?',
    ],
    draw: (random) => ({ n: `${4 + random.integer(6)}`, k: `${3 + random.integer(6)}` }),
    solve({ n, k }) {
      const read = numbers(n, k);
      if (read === null) return null;
      const [length = 0, letters = 0] = read;
      if (length < 2 || length > 12 || letters < 2 || letters > 12) return null;
      // Colourings of a ring: (k − 1)^n + (−1)^n (k − 1).
      return `${(letters - 1) ** length + (length % 2 === 0 ? 1 : -1) * (letters - 1)}`;
    },
    method:
      'Closed to a ring, the code is a colouring without equal neighbours; I take all open ones and subtract those whose ends are equal.',
  }),
];
