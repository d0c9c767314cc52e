/** `y` is a vowel after a consonant. Number of times that vowels are followed by consonants. */
function measure(stem: string): number {
  let count = 0;
  let wasVowel = false;
  for (const [at, letter] of [...stem].entries()) {
    const isVowel: boolean = 'aeiou'.includes(letter) || (letter === 'y' && at > 0 && !wasVowel);
    if (wasVowel && !isVowel) count++;
    wasVowel = isVowel;
  }
  return count;
}

function hasVowel(stem: string): boolean {
  return /[aeiou]|(?<=[^aeiou])y/.test(stem);
}

/** Consonant, vowel, consonant at the end, the last not w, x or y. */
function endsShort(stem: string): boolean {
  return /[^aeiou][aeiouy][^aeiouwxy]$/.test(stem);
}

type Rule = readonly [suffix: string, replacement: string];

const STEP_2: readonly Rule[] = [
  ['ational', 'ate'],
  ['tional', 'tion'],
  ['enci', 'ence'],
  ['anci', 'ance'],
  ['izer', 'ize'],
  ['abli', 'able'],
  ['alli', 'al'],
  ['entli', 'ent'],
  ['eli', 'e'],
  ['ousli', 'ous'],
  ['ization', 'ize'],
  ['ation', 'ate'],
  ['ator', 'ate'],
  ['alism', 'al'],
  ['iveness', 'ive'],
  ['fulness', 'ful'],
  ['ousness', 'ous'],
  ['aliti', 'al'],
  ['iviti', 'ive'],
  ['biliti', 'ble'],
];
const STEP_3: readonly Rule[] = [
  ['icate', 'ic'],
  ['ative', ''],
  ['alize', 'al'],
  ['iciti', 'ic'],
  ['ical', 'ic'],
  ['ful', ''],
  ['ness', ''],
];
const STEP_4 = 'ement ance ence able ible ment ant ent ism ate iti ous ive ize al er ic ou'.split(' ');

function replaceSuffix(word: string, rules: readonly Rule[]): string {
  for (const [suffix, replacement] of rules) {
    if (!word.endsWith(suffix)) continue;
    const stem = word.slice(0, -suffix.length);
    return measure(stem) > 0 ? stem + replacement : word;
  }
  return word;
}

function step1(word: string): string {
  let stem = word
    .replace(/sses$/, 'ss')
    .replace(/ies$/, 'i')
    .replace(/([^s])s$/, '$1');
  if (stem.endsWith('eed')) return measure(stem.slice(0, -3)) > 0 ? stem.slice(0, -1) : stem;
  const found = /^(.+)(?:ed|ing)$/.exec(stem)?.[1];
  if (found === undefined || !hasVowel(found)) return stem;
  stem = found;
  if (/(?:at|bl|iz)$/.test(stem)) return `${stem}e`;
  if (/([^aeioulsz])\1$/.test(stem)) return stem.slice(0, -1);
  return measure(stem) === 1 && endsShort(stem) ? `${stem}e` : stem;
}

function step4(word: string): string {
  const suffix = [...STEP_4].sort((a, b) => b.length - a.length).find((each) => word.endsWith(each));
  if (suffix !== undefined) {
    const stem = word.slice(0, -suffix.length);
    return measure(stem) > 1 ? stem : word;
  }
  const stem = /^(.+[st])ion$/.exec(word)?.[1];
  return stem !== undefined && measure(stem) > 1 ? stem : word;
}

function step5(word: string): string {
  let result = word;
  if (result.endsWith('e')) {
    const stem = result.slice(0, -1);
    if (measure(stem) > 1 || (measure(stem) === 1 && !endsShort(stem))) result = stem;
  }
  return result.endsWith('ll') && measure(result) > 1 ? result.slice(0, -1) : result;
}

/**
 * The stem of a lower-case English word; other words change little or not at all.
 * @see Porter 1980, "An algorithm for suffix stripping", Program 14(3)
 */
export function porterStem(word: string): string {
  if (word.length < 3 || word.length > 60) return word;
  const first = step1(word).replace(/^(.*)y$/, (whole: string, stem: string) => (hasVowel(stem) ? `${stem}i` : whole));
  return step5(step4(replaceSuffix(replaceSuffix(first, STEP_2), STEP_3)));
}
