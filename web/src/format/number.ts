/** What is shown when a value is not known. Never 0. */
export const UNKNOWN = '–';

const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** Exact count with thousands separators. */
export function formatInteger(value: number): string {
  return whole.format(value);
}

/** A count for a tile or an axis: exact below 100,000, then three significant digits with k, M or G. Null = not known. */
export function formatCount(value: number | null): string {
  if (value === null) return UNKNOWN;
  if (Math.abs(value) < 100_000) return whole.format(value);
  return compact(value);
}

/** Short form for axes: 950, 1.2k, 34k, 1.2M. */
export function formatCompact(value: number): string {
  return Math.abs(value) < 1000 ? trimZeros(value.toPrecision(3)) : compact(value);
}

function compact(value: number): string {
  for (const [limit, suffix] of [
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ] as const)
    if (Math.abs(value) >= limit * 0.9995) return `${trimZeros((value / limit).toPrecision(3))}${suffix}`;
  return trimZeros(value.toPrecision(3));
}

function trimZeros(text: string): string {
  const plain = text.includes('e') ? String(Number(text)) : text;
  return plain.includes('.') ? plain.replace(/\.?0+$/, '') : plain;
}

/** A ratio in [0, 1] as percent with at most two decimals; `<0.01 %` rather than a false zero. */
export function formatPercent(ratio: number | null): string {
  if (ratio === null) return UNKNOWN;
  const percent = ratio * 100;
  if (percent > 0 && percent < 0.01) return '<0.01 %';
  return `${trimZeros(percent.toFixed(percent < 10 ? 2 : 1))} %`;
}

/** Both ends of an interval of ratios, e.g. `0.21–0.54 %`. */
export function formatPercentInterval(interval: readonly [number, number] | null): string {
  if (interval === null) return UNKNOWN;
  const [low, high] = interval.map((ratio) => trimZeros((ratio * 100).toFixed(ratio < 0.1 ? 2 : 1)));
  return `${low}–${high} %`;
}

/** Milliseconds in the unit a person would choose: `840 ms`, `1.24 s`, `2 min 5 s`. */
export function formatDuration(ms: number | null): string {
  if (ms === null) return UNKNOWN;
  if (ms < 0) return `−${formatDuration(-ms)}`;
  if (ms === 0) return '0 ms';
  if (ms < 1) return `${trimZeros(ms.toPrecision(2))} ms`;
  if (ms < 9.95) return `${trimZeros(ms.toFixed(1))} ms`;
  if (ms < 999.5) return `${ms.toFixed(0)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(ms < 9995 ? 2 : 1)} s`;
  if (ms < 3_599_500) return `${Math.floor(Math.round(ms / 1000) / 60)} min ${Math.round(ms / 1000) % 60} s`;
  const minutes = Math.round(ms / 60_000);
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A round duration, as on an axis, without empty decimals: `30 s`, `1.5 s`. */
export function formatRoundDuration(ms: number): string {
  return formatDuration(ms)
    .replace(/\.0+ /, ' ')
    .replace(/(\.\d*[1-9])0+ /, '$1 ')
    .replace(/ 0 (s|min)$/, '');
}

/** Number and unit apart, for tiles. */
export function splitUnit(text: string): { readonly value: string; readonly unit: string } {
  const at = text.indexOf(' ');
  return at === -1 || text.indexOf(' ', at + 1) !== -1 ? { value: text, unit: '' } : { value: text.slice(0, at), unit: text.slice(at + 1) };
}

/** A length of text, in characters or thousands of them. */
export function formatCharacters(length: number): string {
  return `${formatCount(length)} character${length === 1 ? '' : 's'}`;
}
