/** Byte of a header name → its lower case; 0 for bytes that no name has (RFC 9110 §5.6.2 `token`). */
export const NAME_BYTE = new Uint8Array(256);
for (const character of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz") NAME_BYTE[character.charCodeAt(0)] = character.charCodeAt(0);
for (let byte = 0x41; byte <= 0x5a; byte++) NAME_BYTE[byte] = byte + 0x20;

/** 1 for what a header value or a reason phrase may hold: HTAB, SP, visible ASCII, obs-text (RFC 9110 §5.5). */
export const TEXT_BYTE = new Uint8Array(256).fill(1, 0x20);
TEXT_BYTE[0x09] = 1;
TEXT_BYTE[0x7f] = 0;

/** Value of a hexadecimal digit; 255 for other bytes. */
export const HEX_VALUE = new Uint8Array(256).fill(255);
for (let value = 0; value < 16; value++) {
  HEX_VALUE[value.toString(16).charCodeAt(0)] = value;
  HEX_VALUE[value.toString(16).toUpperCase().charCodeAt(0)] = value;
}

/** @returns the decimal number at [start, end) of `bytes`; -1 when it is not 1 to `maxDigits` digits */
export function readDecimal(bytes: Buffer, start: number, end: number, maxDigits: number): number {
  if (end <= start || end - start > maxDigits) return -1;
  let number = 0;
  for (let at = start; at < end; at++) {
    const digit = (bytes[at] as number) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    number = number * 10 + digit;
  }
  return number;
}
