/** Search parameters of the page that compares two traces. */
export interface CompareSearch {
  a?: string;
  b?: string;
  /** Row whose messages are shown: a span of the first trace, or one that only the second has. */
  span?: string;
}

export function parseTraceId(text: unknown): string | null {
  const id = typeof text === 'string' ? text.trim().toLowerCase() : '';
  return /^[0-9a-f]{32}$/.test(id) ? id : null;
}

export function parseCompareSearch(search: Readonly<Record<string, unknown>>): CompareSearch {
  const [a, b] = [parseTraceId(search.a), parseTraceId(search.b)];
  return {
    ...(a === null ? {} : { a }),
    ...(b === null ? {} : { b }),
    ...(typeof search.span === 'string' && /^[0-9a-f]{16}$/.test(search.span) ? { span: search.span } : {}),
  };
}
