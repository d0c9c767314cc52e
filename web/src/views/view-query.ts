/** A URL query in the one form in which views are stored: without `?`, names in order. */
export function sortedQuery(text: string): string {
  const pairs = [...new URLSearchParams(text)].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return new URLSearchParams(pairs).toString();
}

/** What a view holds, for people: `feature = support, range = 7d`. */
export function describeQuery(query: string): string {
  const pairs = [...new URLSearchParams(query)];
  return pairs.length === 0 ? 'no filter' : pairs.map(([name, value]) => `${name} = ${value}`).join(', ');
}
