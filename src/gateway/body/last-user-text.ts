import { parseJsonText } from '../../kernel/parse-json.ts';
import type { ChatBody } from './chat-body.ts';
import type { JsonScanner } from './json-scanner.ts';
import { KeyNames, spells } from './key-names.ts';

type Loose = Readonly<Record<string, unknown>>;
type Range = readonly [start: number, end: number];

const KEYS = new KeyNames(['role', 'content', 'parts']);
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_OBJECT = 0x7b;
const OPEN_ARRAY = 0x5b;

/**
 * Beginning of the text of the last user message of a request, its text parts joined; '' when there is none. Walks over the messages without
 * building them, and decodes no more of a plain text than is asked for. Reads every dialect: `content` or Gemini's `parts` (where no role means
 * user), and the one text that OpenAI's Responses take for a conversation.
 * @param maxCharacters UTF-16 code units; the result may be longer where it is cheap
 */
export function lastUserText({ bytes, messages }: ChatBody, scanner: JsonScanner, maxCharacters: number): string {
  const content: Range | null =
    bytes[messages.start] === QUOTE ? [messages.start, messages.end] : lastUserContent(bytes, messages.start, messages.end, scanner);
  if (content === null) return '';
  const [start, end] = content;
  if (bytes[start] === QUOTE) return stringStart(bytes, start + 1, end - 1, maxCharacters);
  if (bytes[start] !== OPEN_ARRAY) return '';
  return (parseJsonText(bytes.toString('utf8', start, end)) as unknown[])
    .map((part) => (typeof part === 'object' && part !== null ? (part as Loose).text : null))
    .filter((text) => typeof text === 'string')
    .join('\n');
}

function lastUserContent(bytes: Buffer, start: number, end: number, scanner: JsonScanner): Range | null {
  let found: Range | null = null;
  scanner.reset(bytes, start, end);
  if (scanner.peek() !== OPEN_ARRAY || !scanner.enter(OPEN_ARRAY)) return null;
  do {
    if (scanner.peek() !== OPEN_OBJECT) {
      scanner.skipValue();
      continue;
    }
    let isUser: boolean | null = null;
    let content: Range | null = null;
    let isParts = false;
    if (scanner.enter(OPEN_OBJECT)) {
      do {
        scanner.peek();
        const keyStart = scanner.position;
        const keyEnd = scanner.skipKey();
        const key = scanner.hasEscape
          ? (JSON.parse(bytes.toString('utf8', keyStart, keyEnd + 1)) as string)
          : KEYS.find(bytes, keyStart + 1, keyEnd);
        const valueStart = scanner.position;
        scanner.skipValue();
        const valueEnd = scanner.position;
        if (key === 'content' || key === 'parts') {
          content = [valueStart, valueEnd];
          isParts = key === 'parts';
        }
        if (key === 'role') isUser = isUserRole(bytes, valueStart, valueEnd);
      } while (scanner.next(0x7d));
    }
    if (isUser ?? isParts) found = content;
  } while (scanner.next(0x5d));
  return found;
}

function isUserRole(bytes: Buffer, start: number, end: number): boolean {
  if (spells(bytes, start, end, '"user"')) return true;
  return bytes.indexOf(BACKSLASH, start) < end && JSON.parse(bytes.toString('utf8', start, end)) === 'user';
}

/** Decodes the first `maxCharacters` code units (one more where a surrogate pair would be cut) of an escaped string without its quotes. */
function stringStart(bytes: Buffer, start: number, end: number, maxCharacters: number): string {
  let index = start;
  for (let units = 0; units < maxCharacters && index < end; units++) {
    const byte = bytes[index] as number;
    if (byte === BACKSLASH) index += bytes[index + 1] === 0x75 ? 6 : 2;
    else if (byte < 0x80) index += 1;
    else if (byte < 0xe0) index += 2;
    else if (byte < 0xf0) index += 3;
    else {
      index += 4;
      units++;
    }
  }
  return JSON.parse(`"${bytes.toString('utf8', start, index)}"`) as string;
}
