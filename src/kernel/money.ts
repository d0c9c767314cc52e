import { PlimsollError } from './errors.ts';

/** US dollars × 10¹², an integer. The only representation of money that is stored or added. */
export type PicoUsd = bigint;

export const PICO_PER_USD = 1_000_000_000_000n;

/**
 * Reads a decimal number of dollars exactly.
 * @param text decimal, optionally signed, optionally with an exponent ("2.5", "1e-7")
 * @returns pico-dollars; digits below one pico-dollar are refused, not rounded
 * @throws PlimsollError `invalid_argument` when the text is not a decimal or is finer than a pico-dollar
 */
export function picoUsdFromDecimal(text: string): PicoUsd {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?$/.exec(text.trim());
  if (!match || (!match[2] && !match[3]))
    throw new PlimsollError('invalid_argument', `Not a decimal amount: "${text}"`, { details: { text } });
  const digits = `${match[2] ?? ''}${match[3] ?? ''}`;
  const shift = 12 - (match[3] ?? '').length + Number(match[4] ?? '0');
  let value = BigInt(digits || '0');
  if (shift >= 0) value *= 10n ** BigInt(shift);
  else {
    const divisor = 10n ** BigInt(-shift);
    if (value % divisor !== 0n) throw new PlimsollError('invalid_argument', `"${text}" is finer than a pico-dollar`, { details: { text } });
    value /= divisor;
  }
  return match[1] === '-' ? -value : value;
}

/**
 * Price of one token from the usual quote, US dollars per million tokens.
 * @param usdPerMillion as quoted, e.g. 2.5 or 0.01875; the shortest decimal that prints as this number is taken
 * @returns pico-dollars per token, exact
 */
export function picoUsdPerToken(usdPerMillion: number): PicoUsd {
  const perMillion = picoUsdFromDecimal(`${usdPerMillion}`);
  if (perMillion % 1_000_000n !== 0n)
    throw new PlimsollError('invalid_argument', `${usdPerMillion} USD per million tokens is finer than a pico-dollar per token`, {
      details: { usdPerMillion },
    });
  return perMillion / 1_000_000n;
}

/** Exact decimal dollars without trailing zeros, e.g. `0.000125`. */
export function formatUsd(pico: PicoUsd): string {
  const sign = pico < 0n ? '-' : '';
  const absolute = pico < 0n ? -pico : pico;
  const fraction = (absolute % PICO_PER_USD).toString().padStart(12, '0').replace(/0+$/, '');
  return `${sign}${absolute / PICO_PER_USD}${fraction ? `.${fraction}` : ''}`;
}
