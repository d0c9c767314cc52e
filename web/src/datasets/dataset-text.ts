import type { DatasetSaved } from './dataset-queries.ts';

const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** What a save did, in words. */
export function savedText({ name, version, isNewVersion, added, changed, removed, sealed, repeated }: DatasetSaved): string {
  if (!isNewVersion) return `${name} holds all of it already: still version ${version}.`;
  const parts = [
    [added, 'added'],
    [changed, 'changed'],
    [removed, 'removed'],
  ].flatMap(([count, word]) => (count === 0 ? [] : [`${count} ${word}`]));
  const more = [
    ...(Number(sealed) > 0 ? [`${plural(Number(sealed), 'case')} went to the sealed holdout`] : []),
    ...(repeated.length > 0 ? [`${plural(repeated.length, 'case')} stood twice and were kept once`] : []),
  ];
  return `${name}, version ${version}: ${parts.join(', ')}.${more.length === 0 ? '' : ` ${more.join('; ')}.`}`;
}

/** `a, b ,` → tags without doubles. */
export function tagsOf(text: string): string[] {
  return [...new Set(text.split(',').map((tag) => tag.trim()))].filter((tag) => tag !== '');
}

/** `language=de, tier=pro` → slices. Null = a part is not name=value. */
export function slicesOf(text: string): Record<string, string> | null {
  const pairs = tagsOf(text).map((part) => {
    const at = part.indexOf('=');
    return at < 1 || at === part.length - 1 ? null : ([part.slice(0, at).trim(), part.slice(at + 1).trim()] as const);
  });
  return pairs.includes(null) ? null : Object.fromEntries(pairs.filter((pair) => pair !== null));
}
