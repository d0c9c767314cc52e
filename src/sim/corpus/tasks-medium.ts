import { type TaskTemplate, taskTemplate } from './task-template.ts';
import { wholeNumber } from './tasks-simple.ts';

/** Cents as a decimal number of euros. */
function euros(cents: number): string {
  return `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`;
}

/** Half cents are rounded up. @param parts numerator in hundredths of a cent */
function roundedCents(parts: number): number {
  return Math.floor((parts + 5_000) / 10_000);
}

function daysBetween(from: string | undefined, to: string | undefined): number | null {
  const isDate = (text: string | undefined): text is string => text !== undefined && /^\d{4}-\d{2}-\d{2}$/.test(text);
  if (!isDate(from) || !isDate(to)) return null;
  const days = (Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / 86_400_000;
  return Number.isInteger(days) && days > 0 ? days : null;
}

/** Questions of two to four steps. */
export const MEDIUM_TASKS: readonly TaskTemplate[] = [
  taskTemplate({
    id: 'discount-vat',
    difficulty: 'medium',
    phrasings: [
      'A winch costs {price} euros net. We give {discount} % discount and then add {vat} % VAT. What does the customer pay, in euros and cents?',
      'Net price {price} euros, first {discount} % discount, then {vat} % VAT on the rest: what is the amount due in euros and cents?',
    ],
    draw: (random) => ({
      price: `${40 + random.integer(900)}`,
      discount: random.pick(['5', '8', '12', '15', '20']),
      vat: random.pick(['7', '19', '21', '25']),
    }),
    solve({ price, discount, vat }) {
      const [net, off, tax] = [wholeNumber(price), wholeNumber(discount), wholeNumber(vat)];
      return net === null || off === null || tax === null || off > 100 ? null : euros(roundedCents(net * 100 * (100 - off) * (100 + tax)));
    },
    method: 'First the discount is taken off the net price, then VAT is added to what is left, and the result is rounded to cents.',
  }),
  taskTemplate({
    id: 'days-between',
    difficulty: 'medium',
    phrasings: [
      'How many days lie between {from} and {to}, counting the last day but not the first?',
      'We shipped on {from} and the customer complains on {to}. How many days later is that?',
    ],
    draw(random) {
      const fromMs = Date.UTC(2026, random.integer(9), 1 + random.integer(28));
      const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
      return { from: day(fromMs), to: day(fromMs + (25 + random.integer(90)) * 86_400_000) };
    },
    solve({ from, to }) {
      const days = daysBetween(from, to);
      return days === null ? null : `${days}`;
    },
    method: 'I count the rest of the first month, the whole months in between and the days of the last one.',
  }),
  taskTemplate({
    id: 'rope-pieces',
    difficulty: 'medium',
    phrasings: [
      'A spool holds {spool} m of rope. We cut pieces of {piece} m, and every cut, the one after the last piece too, wastes {waste} cm. How many whole pieces do we get?',
      'From {spool} m of rope pieces of {piece} m are cut; each piece costs another {waste} cm for the cut. How many pieces are there?',
    ],
    draw: (random) => ({
      spool: random.pick(['50', '80', '100', '150', '200']),
      piece: `${3 + random.integer(9)}`,
      waste: `${2 + random.integer(12)}`,
    }),
    solve({ spool, piece, waste }) {
      const [length, each, lost] = [wholeNumber(spool), wholeNumber(piece), wholeNumber(waste)];
      return length === null || each === null || lost === null || each === 0 ? null : `${Math.floor((length * 100) / (each * 100 + lost))}`;
    },
    method: 'In centimetres, each piece takes its length and its cut from the spool; the rest is too short.',
  }),
  taskTemplate({
    id: 'loop-output',
    difficulty: 'medium',
    phrasings: [
      'What does this print? `let total = {start}; for (let i = {from}; i < {to}; i += {step}) total += i * {factor}; console.log(total);`',
      'Read this JavaScript and tell me its output: `let total = {start}; for (let i = {from}; i < {to}; i += {step}) total += i * {factor}; console.log(total);`',
    ],
    draw: (random) => ({
      start: `${random.integer(20)}`,
      from: `${random.integer(5)}`,
      to: `${8 + random.integer(12)}`,
      step: `${2 + random.integer(3)}`,
      factor: `${2 + random.integer(5)}`,
    }),
    solve({ start, from, to, step, factor }) {
      const numbers = [start, from, to, step, factor].map(wholeNumber);
      const [first = null, low = null, high = null, stride = null, times = null] = numbers;
      if (first === null || low === null || high === null || stride === null || times === null || stride === 0 || high > 10_000)
        return null;
      let total = first;
      for (let i = low; i < high; i += stride) total += i * times;
      return `${total}`;
    },
    method: 'I follow the loop and add up the values of each round.',
  }),
  taskTemplate({
    id: 'orders-above',
    texts: ['values'],
    difficulty: 'medium',
    phrasings: [
      'Order values in euros: {values}. What is the sum of the orders above {limit} euros?',
      'Add up only the orders of more than {limit} euros: {values}.',
    ],
    draw: (random) => ({
      values: Array.from({ length: 7 }, () => `${20 + random.integer(280)}`).join(', '),
      limit: random.pick(['80', '100', '120', '150']),
    }),
    solve({ values, limit }) {
      const numbers = (values ?? '').split(', ').map(wholeNumber);
      const least = wholeNumber(limit);
      if (least === null || numbers.length > 50 || numbers.includes(null)) return null;
      return `${numbers.reduce<number>((sum, value) => sum + ((value ?? 0) > least ? (value ?? 0) : 0), 0)}`;
    },
    method: 'I leave out the orders that do not exceed the limit and add the others.',
  }),
  taskTemplate({
    id: 'there-and-back',
    difficulty: 'medium',
    phrasings: [
      'A boat sails {distance} nautical miles at {out} knots, waits {wait} minutes and comes back at {back} knots. How many minutes does it take in all?',
      'Out {distance} nautical miles at {out} knots, a stop of {wait} minutes, the same way back at {back} knots: how many minutes is the whole trip?',
    ],
    draw: (random) => ({
      distance: `${12 * (1 + random.integer(4))}`,
      out: random.pick(['4', '6', '8']),
      back: random.pick(['3', '4', '6']),
      wait: `${10 + random.integer(80)}`,
    }),
    solve({ distance, out, back, wait }) {
      const [miles, there, home, stop] = [wholeNumber(distance), wholeNumber(out), wholeNumber(back), wholeNumber(wait)];
      if (miles === null || there === null || home === null || stop === null || there === 0 || home === 0) return null;
      const minutes = (miles * 60) / there + (miles * 60) / home + stop;
      return Number.isInteger(minutes) ? `${minutes}` : null;
    },
    method: 'Distance by speed gives the hours of each way; in minutes, with the stop, they add up.',
  }),
];
