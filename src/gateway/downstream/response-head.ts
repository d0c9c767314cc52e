import { STATUS_CODES } from 'node:http';

const STATUS_LINES = new Map(Object.entries(STATUS_CODES).map(([code, text]) => [Number(code), `HTTP/1.1 ${code} ${text}\r\n`]));
/** What a header value may not hold (RFC 9110 §5.5): with a line break in it a value could become a header, or an answer. */
const FORBIDDEN = /[^\t\x20-\x7e\x80-\xff]/;

export interface WrittenHead {
  /** Up to and with the line end of the last header; the framing is still to come. */
  readonly text: string;
  readonly hasLength: boolean;
  /** The answer itself says that it is the last one on its connection. */
  readonly isClosing: boolean;
}

/**
 * @param status of an answer that has a body: 200 to 999, but not 204 and 304
 * @param head flat list of names (tokens in lower case, taken as they are) and values
 * @throws RangeError for another status @throws TypeError for a value that no header may have
 */
export function writeHeadText(status: number, head: readonly string[]): WrittenHead {
  // The framing that is written for a body would be read as the next answer.
  if (!(status >= 200 && status <= 999) || status === 204 || status === 304)
    throw new RangeError(`An answer with status ${status} has no body.`);
  let text = STATUS_LINES.get(status) ?? `HTTP/1.1 ${status} \r\n`;
  let hasLength = false;
  let isClosing = false;
  for (let index = 0; index < head.length; index += 2) {
    const name = head[index] as string; // index < length
    const value = head[index + 1] ?? '';
    if (FORBIDDEN.test(value)) throw new TypeError(`The value of the header "${name}" holds a character that no header may have.`);
    if (name === 'content-length') hasLength = true;
    else if (name === 'connection') {
      if (value === 'close') isClosing = true;
      continue;
    }
    text += `${name}: ${value}\r\n`;
  }
  return { text, hasLength, isClosing };
}
