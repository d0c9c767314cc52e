/** `connection: keep-alive` and `close` (RFC 9112 §9.3) as one header value says it; null = neither. `close` wins. */
export function readConnection(value: string): 'keep-alive' | 'close' | null {
  if (value === 'keep-alive' || value === 'close') return value;
  const options = value.toLowerCase().split(/[\t ]*,[\t ]*/);
  if (options.includes('close')) return 'close';
  return options.includes('keep-alive') ? 'keep-alive' : null;
}

/** Milliseconds that a `keep-alive: timeout=5, max=100` header promises; null when it names no time. */
export function readKeepAliveMs(value: string): number | null {
  const seconds = /(?:^|[,\s])timeout=(\d{1,6})(?:$|[,\s])/i.exec(value)?.[1];
  return seconds === undefined ? null : Number(seconds) * 1000;
}
