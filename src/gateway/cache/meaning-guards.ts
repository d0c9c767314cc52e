import { detect } from 'tinyld';
import { literalsOf, normaliseText } from './question-text.ts';

function wordsOf(text: string): ReadonlySet<string> {
  return new Set(text.trim().split(/\s+/));
}

/**
 * Words that turn a meaning round or choose between things, so that two texts with different ones are two questions however alike they look:
 * negations, opposites, directions, comparisons, numbers as words, names of languages, days and months. English, German, French, Spanish.
 */
const DECISIVE = wordsOf(`
  not no never none nobody nothing neither nor cannot without unless except only but instead hardly
  nicht kein keine keinen keinem keiner nie niemals nichts weder ohne außer statt nur
  ne pas non jamais aucun aucune rien sans sauf seulement plutôt
  nunca ningún ninguna ninguno nada sin salvo solo excepto
  before after until since during within in out on off up down left right from to into over under above below between
  vor nach bis seit während aus an auf unter über zwischen von zu
  avant après depuis pendant dans hors sur sous entre de à
  antes después desde hasta durante dentro fuera sobre bajo entre
  and or und oder et ou y o
  more less most least fewer greater smaller larger higher lower max min maximum minimum first last next previous old new
  mehr weniger erste letzte plus moins premier dernier más menos primero último
  enable disable enabled disabled increase decrease add remove start stop open close opened closed allow deny block unblock include exclude
  buy sell upload download import export login logout install uninstall subscribe unsubscribe activate deactivate lock unlock show hide
  accept reject approve decline true false yes win lose cheap expensive cheapest best worst always sometimes must should may might can could
  one two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty hundred thousand million dozen half third quarter
  second once twice both single double triple
  eins zwei drei vier fünf sechs sieben acht neun zehn hundert tausend deux trois quatre cinq sept huit neuf dix cent mille
  dos tres cuatro cinco seis siete ocho nueve diez cien mil
  english german french spanish italian portuguese dutch polish russian ukrainian chinese japanese korean arabic hebrew turkish greek swedish
  norwegian danish finnish czech hungarian romanian hindi thai vietnamese latin
  monday tuesday wednesday thursday friday saturday sunday january february march april june july august september october november december
  today tomorrow yesterday tonight daily weekly monthly yearly annual annually
  i you he she we they me him her us them my your his our their
`);

/** Words that may be there or not. */
const IDLE = wordsOf('a an the please kindly just hi hello hey thanks');

/** Ways to say the same, in normalised text. */
const SAME: readonly (readonly [RegExp, string])[] = [
  [/\b(what|where|who|how|when|that|it)'s\b/g, '$1 is'],
  [/\bthank you(?: very much| so much)?\b/g, 'thanks'],
  [/^(?:(?:could|can|would) you (?:please )?tell me|please tell me|tell me|i (?:want|would like|need) to know|do you know) /, ''],
  [/\bhow (?:do|can|could) (?:i|we|you|one) /g, 'how to '],
  [/\bcan't\b/g, 'cannot'],
  [/\bcan not\b/g, 'cannot'],
  [/n't\b/g, ' not'],
];

/** Words of a text in small letters, without those that may be there or not. */
export function meantWords(text: string): string[] {
  let reduced = normaliseText(text);
  for (const [pattern, replacement] of SAME) reduced = reduced.replace(pattern, replacement);
  return reduced.split(' ').filter((word) => word !== '' && !IDLE.has(word));
}

/** Of these, the words that turn a meaning round. */
export function decisiveWords(text: string): string[] {
  return meantWords(text).filter((word) => DECISIVE.has(word));
}

/** English plural, so that "items" is "item". */
function singular(word: string): string {
  return word.length > 3 && word.endsWith('s') && !/(?:ss|us|is|'s)$/.test(word) ? word.slice(0, -1) : word;
}

/**
 * What must be equal in two questions, in this order, before their similarity means anything: language, code, quotes, numbers, names, and the
 * words that decide. An embedder that knows spelling alone has to find all other words equal too, but for plurals and idle ones.
 */
export function guardForm(text: string, embedder: 'lexical' | 'provider'): string {
  const words = embedder === 'lexical' ? meantWords(text).map(singular) : decisiveWords(text);
  return JSON.stringify([detect(text), literalsOf(text), words]);
}
