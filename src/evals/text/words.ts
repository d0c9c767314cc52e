/** Between white space; an empty text is one empty word, as in promptfoo. */
export function spacedWords(text: string): string[] {
  return text.trim().split(/\s+/);
}

/** Lower-case runs of letters and digits, as in rouge-score (which knows ASCII only; equal there). */
export function plainWords(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];
}

/** Words and signs apart, after the rules of mteval-13a; a number keeps its points and commas. */
export function wordsAndSigns(text: string): string[] {
  return text
    .replace(/[{-~[-` -&(-+:-@/]/g, ' $& ')
    .replace(/([^0-9])([.,])/g, '$1 $2 ')
    .replace(/([.,])([^0-9])/g, ' $1 $2')
    .replace(/([0-9])(-)/g, '$1 $2 ')
    .trim()
    .split(/\s+/);
}

const CONTRACTIONS = [
  '(can)(not)',
  "(d)('ye)",
  '(gim)(me)',
  '(gon)(na)',
  '(got)(ta)',
  '(lem)(me)',
  "(more)('n)",
  "('t)(is)",
  "('t)(was)",
].map((pattern) => new RegExp(`(?<![\\p{L}\\p{M}\\p{N}_])${pattern}(?![\\p{L}\\p{M}\\p{N}_])`, 'giu'));

/**
 * Words after the Penn Treebank: signs apart, `don't` as `do n't`.
 * @see https://www.cis.upenn.edu/~treebank/tokenizer.sed
 */
export function treebankWords(text: string): string[] {
  let line = ` ${text.replace(/\s+/g, ' ').trim()} `
    .replace(/(?<=[\s([{<])(?:"|``)/g, ' `` ')
    .replace(/"/g, " '' ")
    .replace(/\.{3}/g, ' ... ')
    .replace(/[:,](?!\p{Nd})/gu, ' $& ')
    .replace(/[;@#$%&?!\][(){}<>]/g, ' $& ')
    .replace(/(?<!\.|\b[A-Za-z]\.[A-Za-z])\.(?=[\])}>'\s]*$)/g, ' .')
    .replace(/--/g, ' -- ')
    .replace(/([^'])' /g, "$1 ' ")
    .replace(/'([smd]) /gi, " '$1 ")
    .replace(/('ll|'re|'ve|n't) /gi, ' $1 ');
  for (const contraction of CONTRACTIONS) line = line.replace(contraction, ' $1 $2 ');
  const trimmed = line.trim();
  return trimmed === '' ? [] : trimmed.split(/ +/);
}
