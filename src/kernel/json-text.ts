/** Nothing in it needs an escape. */
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

/** A string or null as JSON. For texts that are mostly plain: several times as fast as JSON.stringify. */
export function jsonText(value: string | null): string {
  if (value === null) return 'null';
  return PLAIN.test(value) ? `"${value}"` : JSON.stringify(value);
}
