import type { JsonValue } from './json-value.ts';
import type { CaseDraft } from './model.ts';

/** Finds one kind of what must not stand in a dataset. Pluggable: give your own list to `redactCase`. */
export interface Detector {
  /** Word of the placeholder: `EMAIL` gives `[EMAIL_1]`. */
  readonly name: string;
  /** Places in the text: [from, to), characters. */
  find(text: string): readonly (readonly [number, number])[];
}

export interface Redaction {
  readonly name: string;
  /** Different values. */
  readonly count: number;
}

function matches(pattern: RegExp, accept: (match: string) => string | null): (text: string) => (readonly [number, number])[] {
  return (text) =>
    [...text.matchAll(pattern)].flatMap((match) => {
      const accepted = accept(match[0]);
      return accepted === null ? [] : [[match.index, match.index + accepted.length] as const];
    });
}

/** ISO/IEC 7812-1, annex B. */
function isLuhn(digits: string): boolean {
  let sum = 0;
  for (let at = digits.length - 1, isDoubled = false; at >= 0; at--, isDoubled = !isDoubled) {
    const digit = digits.charCodeAt(at) - 48;
    sum += isDoubled ? (digit > 4 ? 2 * digit - 9 : 2 * digit) : digit;
  }
  return sum % 10 === 0;
}

function cardOf(match: string): string | null {
  const digits = match.replaceAll(/\D/g, '');
  return digits.length >= 13 && digits.length <= 19 && !/^0+$/.test(digits) && isLuhn(digits) ? match : null;
}

/** ISO 13616: the remainder by 97 of the rearranged number is 1. What follows in capitals may look like a last group, so groups are given back. */
function ibanOf(match: string): string | null {
  for (let text = match; ; text = text.slice(0, text.lastIndexOf(' '))) {
    const plain = text.replaceAll(' ', '');
    if (plain.length >= 15 && plain.length <= 34) {
      const numbers = [...`${plain.slice(4)}${plain.slice(0, 4)}`].map((letter) => Number.parseInt(letter, 36)).join('');
      let remainder = 0;
      for (const digit of numbers) remainder = (remainder * 10 + Number(digit)) % 97;
      if (remainder === 1) return text;
    }
    if (!text.includes(' ')) return null;
  }
}

function phoneOf(match: string): string | null {
  const digits = match.replaceAll(/\D/g, '').length;
  return digits >= 8 && digits <= 15 ? match : null;
}

const whole = (match: string): string => match;

/** In the order in which they claim a place. All patterns are bounded: no text makes them slow. */
export const DEFAULT_DETECTORS: readonly Detector[] = [
  {
    name: 'SECRET',
    find: matches(
      /(?<![A-Za-z0-9])(?:sk-(?:ant-|proj-|svcacct-)?[A-Za-z0-9_-]{16,200}|pl[ka]_[A-Za-z0-9_-]{16,200}|gh[pousr]_[A-Za-z0-9]{20,255}|github_pat_[A-Za-z0-9_]{20,255}|glpat-[A-Za-z0-9_-]{16,64}|hf_[A-Za-z0-9]{20,64}|xox[abeprs]-[A-Za-z0-9-]{10,250}|(?:AKIA|ASIA)[0-9A-Z]{16}|AIza[0-9A-Za-z_-]{35}|[rs]k_(?:live|test)_[A-Za-z0-9]{16,128}|npm_[A-Za-z0-9]{36}|eyJ[A-Za-z0-9_-]{8,2000}\.[A-Za-z0-9_-]{8,4000}\.[A-Za-z0-9_-]{8,1000}|-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----(?:[A-Za-z0-9+/=\s]{1,8000}-----END [A-Z ]{0,30}PRIVATE KEY-----)?)/g,
      whole,
    ),
  },
  {
    name: 'EMAIL',
    find: matches(/(?<![\p{L}\p{N}._%+-])[\p{L}\p{N}._%+-]{1,64}@(?:[\p{L}\p{N}-]{1,63}\.){1,8}\p{L}{2,24}/gu, whole),
  },
  { name: 'IBAN', find: matches(/(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![A-Za-z0-9])/g, ibanOf) },
  { name: 'CARD', find: matches(/(?<![\d.])\d(?:[ -]?\d){12,18}(?!\d)/g, cardOf) },
  {
    name: 'PHONE',
    find: matches(
      /(?<![\w.+-]|\d )(?:(?:\+|00)[1-9]\d{0,2}[ ./-]?(?:\(\d{1,5}\)[ ./-]?)?\d{1,5}(?:[ ./-]?\d{1,5}){1,5}|\(?0\d{2,5}\)?[ /-]\d{2,5}(?:[ /-]?\d{2,5}){1,3}|\(?[2-9]\d{2}\)?[ .-]\d{3}[ .-]\d{4})(?![\w-])/g,
      phoneOf,
    ),
  },
];

/** Puts placeholders in: the same value is the same placeholder through the whole case, so that what refers to it still does. */
export class Redactor {
  readonly #detectors: readonly Detector[];
  readonly #placeholders = new Map<string, string>();
  readonly #counts = new Map<string, number>();

  constructor(detectors: readonly Detector[] = DEFAULT_DETECTORS) {
    this.#detectors = detectors;
  }

  text(text: string): string {
    const taken: { from: number; to: number; name: string }[] = [];
    for (const { name, find } of this.#detectors)
      for (const [from, to] of find(text)) if (taken.every((other) => to <= other.from || from >= other.to)) taken.push({ from, to, name });
    let result = '';
    let at = 0;
    for (const { from, to, name } of taken.sort((a, b) => a.from - b.from)) {
      result += text.slice(at, from) + this.#placeholder(name, text.slice(from, to));
      at = to;
    }
    return result + text.slice(at);
  }

  json(value: JsonValue): JsonValue {
    if (typeof value === 'string') return this.text(value);
    // A card may stand as a number.
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 1e12) {
      const text = this.text(`${value}`);
      return text === `${value}` ? value : text;
    }
    if (value === null || typeof value !== 'object') return value;
    if (Array.isArray(value)) return value.map((item: JsonValue) => this.json(item));
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, this.json(member)]));
  }

  get found(): Redaction[] {
    return [...this.#counts].map(([name, count]) => ({ name, count }));
  }

  #placeholder(name: string, value: string): string {
    // `+49 30 1` and `+49-30-1` are one number.
    const key = `${name}:${value.toLowerCase().replaceAll(/[ ./()-]/g, name === 'EMAIL' || name === 'SECRET' ? '$&' : '')}`;
    const known = this.#placeholders.get(key);
    if (known !== undefined) return known;
    const count = (this.#counts.get(name) ?? 0) + 1;
    this.#counts.set(name, count);
    const placeholder = `[${name}_${count}]`;
    this.#placeholders.set(key, placeholder);
    return placeholder;
  }
}

/** Every text that a person or a model wrote; ids, tags, slices and names of members stay. */
export function redactCase(
  draft: CaseDraft,
  detectors?: readonly Detector[],
): { readonly draft: CaseDraft; readonly redactions: Redaction[] } {
  const redactor = new Redactor(detectors);
  const { description, input, expected, contexts, referenceContexts, recorded, metadata } = draft;
  const of = <T>(value: T): T => (value === undefined ? value : (redactor.json(value as JsonValue) as T)); // JSON in, JSON of the same shape out
  const redacted: CaseDraft = {
    ...draft,
    ...(description === undefined ? {} : { description: of(description) }),
    ...(input === undefined
      ? {}
      : {
          input: {
            ...input,
            ...(input.variables && { variables: of(input.variables) }),
            ...(input.messages && { messages: of(input.messages) }),
          },
        }),
    ...(expected === undefined ? {} : { expected: of(expected) }),
    ...(contexts === undefined ? {} : { contexts: of(contexts) }),
    ...(referenceContexts === undefined ? {} : { referenceContexts: of(referenceContexts) }),
    ...(recorded === undefined ? {} : { recorded: of(recorded) }),
    ...(metadata === undefined ? {} : { metadata: of(metadata) }),
  };
  return { draft: redacted, redactions: redactor.found };
}
