import type { BookModel, BookProvider, ModelMatch } from './book-file.ts';

/** True when the id, in lower case, is one of those that the rule means. */
function matches(rule: ModelMatch, id: string): boolean {
  if ('or' in rule) return rule.or.some((part) => matches(part, id));
  if ('and' in rule) return rule.and.every((part) => matches(part, id));
  if ('equals' in rule) return id === rule.equals.toLowerCase();
  if ('starts_with' in rule) return id.startsWith(rule.starts_with.toLowerCase());
  if ('ends_with' in rule) return id.endsWith(rule.ends_with.toLowerCase());
  if ('contains' in rule) return id.includes(rule.contains.toLowerCase());
  return new RegExp(rule.regex).test(id);
}

const COMPACT_DATE = /-(20\d{2})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?=-|:|$)/g;

/** `model-20260805` → `model-2026-08-05`: some lists write dates with dashes where providers do not. */
function withDashedDates(id: string): string {
  return id.replace(COMPACT_DATE, (text, year: string, month: string, day: string) => {
    const date = `${year}-${month}-${day}`;
    return Number.isNaN(Date.parse(date)) || new Date(date).toISOString().slice(0, 10) !== date ? text : `-${date}`;
  });
}

function findIn(provider: BookProvider, id: string, byId: ReadonlyMap<string, BookProvider>): BookModel | null {
  const own = provider.models.find((model) => matches(model.match, id));
  if (own !== undefined) return own;
  for (const name of provider.fallbackProviders ?? []) {
    const other = byId.get(name)?.models.find((model) => matches(model.match, id));
    if (other !== undefined) return other;
  }
  return null;
}

/** The first model of the provider's list that the id means, then of the lists it also serves; null = none. */
export function findModel(provider: BookProvider, modelId: string, byId: ReadonlyMap<string, BookProvider>): BookModel | null {
  const id = modelId.toLowerCase().trim();
  const found = findIn(provider, id, byId);
  if (found !== null) return found;
  const dashed = withDashedDates(id);
  return dashed === id ? null : findIn(provider, dashed, byId);
}
