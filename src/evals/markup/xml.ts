/** An element with what a path can ask for: names of attributes, children by name. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: readonly string[];
  readonly children: readonly XmlElement[];
}

class Broken extends Error {}

/** XML 1.0, productions 4 and 4a. */
const NAME_START =
  ':A-Z_a-z\\u00c0-\\u00d6\\u00d8-\\u00f6\\u00f8-\\u02ff\\u0370-\\u037d\\u037f-\\u1fff\\u200c\\u200d\\u2070-\\u218f\\u2c00-\\u2fef\\u3001-\\ud7ff\\uf900-\\ufdcf\\ufdf0-\\ufffd\\u{10000}-\\u{effff}';
const NAME = new RegExp(`[${NAME_START}][-.0-9\\u00b7\\u0300-\\u036f\\u203f\\u2040${NAME_START}]*`, 'uy');
const SPACE = /[ \t\r\n]*/y;
/** What is not in production 2; halves of surrogate pairs, too. */
const FORBIDDEN = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;
const REFERENCE = /&(?:(?:amp|lt|gt|quot|apos)|#(?:[0-9]{1,7}|x[0-9a-fA-F]{1,6}));/y;

/** Reads a text from left to right, once. */
class Reader {
  readonly text: string;
  at = 0;

  constructor(text: string, at = 0) {
    this.text = text;
    this.at = at;
  }

  take(pattern: RegExp): string | null {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    if (found === undefined) return null;
    this.at += found.length;
    return found;
  }

  takeText(wanted: string): boolean {
    if (!this.text.startsWith(wanted, this.at)) return false;
    this.at += wanted.length;
    return true;
  }

  /** Up to a mark, and past it. */
  past(mark: string, what: string): string {
    const end = this.text.indexOf(mark, this.at);
    if (end < 0) throw new Broken(`${what} does not end`);
    const between = this.text.slice(this.at, end);
    this.at = end + mark.length;
    return between;
  }

  name(): string {
    return this.take(NAME) ?? this.fail('a name is missing');
  }

  fail(reason: string): never {
    throw new Broken(`${reason} at character ${this.at}`);
  }
}

function checkReferences(text: string, reader: Reader): void {
  for (let at = text.indexOf('&'); at >= 0; at = text.indexOf('&', at + 1)) {
    REFERENCE.lastIndex = at;
    if (!REFERENCE.test(text)) reader.fail('"&" begins no character that XML knows');
  }
}

interface Open {
  readonly name: string;
  readonly attributes: readonly string[];
  readonly children: XmlElement[];
  /** Prefixes that it declares. */
  readonly prefixes: readonly string[];
}

/** After "<" and the name: attributes up to the end of the tag. */
function readAttributes(reader: Reader): { attributes: string[]; isEmpty: boolean } {
  const attributes: string[] = [];
  const seen = new Set<string>();
  for (;;) {
    const space = reader.take(SPACE);
    if (reader.takeText('/>')) return { attributes, isEmpty: true };
    if (reader.takeText('>')) return { attributes, isEmpty: false };
    if (space === '') reader.fail('a space is missing before an attribute');
    const name = reader.name();
    if (seen.has(name)) reader.fail(`the attribute ${name} stands twice`);
    seen.add(name);
    attributes.push(name);
    reader.take(SPACE);
    if (!reader.takeText('=')) reader.fail(`the attribute ${name} has no value`);
    reader.take(SPACE);
    const quote = reader.takeText('"') ? '"' : reader.takeText("'") ? "'" : reader.fail(`the value of ${name} has no quotes`);
    const value = reader.past(quote, `the value of ${name}`);
    if (value.includes('<')) reader.fail(`the value of ${name} holds "<"`);
    checkReferences(value, reader);
  }
}

function checkPrefixes(open: Open, scope: ReadonlyMap<string, number>, reader: Reader): void {
  for (const name of [open.name, ...open.attributes.filter((each) => each !== 'xmlns' && !each.startsWith('xmlns:'))]) {
    const [prefix, ...rest] = name.split(':');
    if (rest.length === 0) continue;
    if (rest.length > 1 || prefix === undefined || (prefix !== 'xml' && (scope.get(prefix) ?? 0) === 0))
      reader.fail(`the prefix of ${name} is not declared`);
  }
}

/** One element with all that is in it. No recursion: depth costs no stack. */
function readElement(reader: Reader): XmlElement {
  const stack: Open[] = [];
  const scope = new Map<string, number>();
  for (;;) {
    if (stack.length > 0) {
      const text = reader.past('<', `the element ${stack.at(-1)?.name}`);
      if (text.includes(']]>')) reader.fail('"]]>" stands in a text');
      checkReferences(text, reader);
      if (reader.takeText('!--')) {
        readComment(reader);
        continue;
      }
      if (reader.takeText('![CDATA[')) {
        reader.past(']]>', 'a CDATA section');
        continue;
      }
      if (reader.takeText('?')) {
        readInstruction(reader);
        continue;
      }
      if (reader.takeText('/')) {
        const name = reader.name();
        reader.take(SPACE);
        if (!reader.takeText('>')) reader.fail(`the end of ${name} is not closed`);
        const closed = stack.pop();
        if (closed?.name !== name) reader.fail(`${closed?.name} is closed by ${name}`);
        for (const prefix of closed.prefixes) scope.set(prefix, (scope.get(prefix) ?? 1) - 1);
        const parent = stack.at(-1);
        if (parent === undefined) return closed;
        parent.children.push(closed);
        continue;
      }
    }
    const name = reader.name();
    const { attributes, isEmpty } = readAttributes(reader);
    const prefixes = attributes.filter((each) => each.startsWith('xmlns:')).map((each) => each.slice('xmlns:'.length));
    const open: Open = { name, attributes, children: [], prefixes };
    for (const prefix of prefixes) scope.set(prefix, (scope.get(prefix) ?? 0) + 1);
    checkPrefixes(open, scope, reader);
    if (!isEmpty) stack.push(open);
    else {
      for (const prefix of prefixes) scope.set(prefix, (scope.get(prefix) ?? 1) - 1);
      const parent = stack.at(-1);
      if (parent === undefined) return open;
      parent.children.push(open);
    }
  }
}

function readComment(reader: Reader): void {
  const text = reader.past('-->', 'a comment');
  if (text.includes('--') || text.endsWith('-')) reader.fail('a comment holds "--"');
}

function readInstruction(reader: Reader): void {
  const target = reader.name();
  if (target.toLowerCase() === 'xml') reader.fail('a declaration stands after the beginning');
  reader.past('?>', 'a processing instruction');
}

/** Comments, instructions and a DOCTYPE without rules of its own, outside of the one element. */
function readAround(reader: Reader, mayHaveDoctype: boolean): void {
  for (;;) {
    reader.take(SPACE);
    if (reader.takeText('<!--')) readComment(reader);
    else if (reader.takeText('<?')) readInstruction(reader);
    else if (mayHaveDoctype && reader.takeText('<!DOCTYPE')) {
      const declared = reader.past('>', 'the DOCTYPE');
      if (declared.includes('[')) reader.fail('a DOCTYPE with rules of its own is not read');
      if (!/^\s+[^\s<>]+(?:\s+(?:SYSTEM|PUBLIC\s+(?:"[^"]*"|'[^']*'))\s+(?:"[^"]*"|'[^']*'))?\s*$/.test(declared))
        reader.fail('the DOCTYPE is malformed');
    } else return;
  }
}

/**
 * A whole document of XML 1.0 with namespaces, well-formed; entities other than the five of XML, and rules in a DOCTYPE, are not read.
 * @returns the element, or why there is none
 */
export function readDocument(text: string): XmlElement | string {
  try {
    if (FORBIDDEN.test(text)) return 'it holds a character that XML forbids';
    const reader = new Reader(text, text.startsWith('\ufeff') ? 1 : 0);
    if (/^<\?xml\s/.test(text.slice(reader.at, reader.at + 6))) {
      const declaration = reader.past('?>', 'the declaration');
      if (!/^<\?xml\s+version\s*=\s*["']1\.\d["']/.test(declaration)) reader.fail('the declaration is malformed');
    }
    readAround(reader, true);
    if (!reader.takeText('<')) reader.fail('there is no element');
    const element = readElement(reader);
    readAround(reader, false);
    if (reader.at < text.length) reader.fail('something stands after the element');
    return element;
  } catch (thrown) {
    if (thrown instanceof Broken) return thrown.message;
    throw thrown;
  }
}

/**
 * The elements in a text that are closed and not inside of others. Tags are matched as they come; what is closed wrongly is forgotten with all that is
 * open around it.
 */
export function embeddedElements(text: string): XmlElement[] {
  const found: XmlElement[] = [];
  let stack: Open[] = [];
  // Those whose parents are never closed come out as well.
  const close = (element: XmlElement): void => {
    (stack.at(-1)?.children ?? found).push(element);
  };
  const release = (): void => {
    for (const open of stack) found.push(...open.children);
    stack = [];
  };
  const reader = new Reader(text);
  for (let start = text.indexOf('<'); start >= 0; start = text.indexOf('<', Math.max(start + 1, reader.at))) {
    reader.at = start + 1;
    if (skipMarkup(reader)) continue;
    const isEnd = reader.takeText('/');
    const name = reader.take(NAME);
    if (name === null) continue;
    try {
      const { attributes, isEmpty } = isEnd ? { attributes: [], isEmpty: false } : readAttributes(reader);
      const open: Open = { name, attributes, children: [], prefixes: [] };
      if (isEmpty) close(open);
      else if (!isEnd) stack.push(open);
      else if (stack.at(-1)?.name === name) {
        const closed = stack.pop();
        if (closed !== undefined) close(closed);
      } else release();
    } catch (thrown) {
      if (!(thrown instanceof Broken)) throw thrown;
      reader.at = start + 1;
    }
  }
  release();
  return found;
}

function skipMarkup(reader: Reader): boolean {
  for (const [begin, end] of [
    ['!--', '-->'],
    ['![CDATA[', ']]>'],
    ['?', '?>'],
  ] as const) {
    if (!reader.takeText(begin)) continue;
    const at = reader.text.indexOf(end, reader.at);
    reader.at = at < 0 ? reader.text.length : at + end.length;
    return true;
  }
  return false;
}

/**
 * Whether a path of names leads somewhere: `order.item.price`, an attribute as `@_id`; where elements of one name are several, the next part is a number.
 */
export function hasPath(elements: readonly XmlElement[], path: string): boolean {
  let here: readonly XmlElement[] = elements;
  let isList = false;
  for (const part of path.split('.')) {
    if (isList && /^(?:0|[1-9]\d*)$/.test(part)) {
      const one = here[Number(part)];
      if (one === undefined) return false;
      here = [one];
      isList = false;
      continue;
    }
    if (isList) return false;
    const inside: readonly XmlElement[] = here === elements ? elements : (here[0]?.children ?? []);
    const isAttribute = part.startsWith('@_') && here !== elements && (here[0]?.attributes ?? []).includes(part.slice(2));
    const next: readonly XmlElement[] = isAttribute
      ? [{ name: part, attributes: [], children: [] }]
      : inside.filter(({ name }) => name === part);
    if (next.length === 0) return false;
    here = next;
    isList = next.length > 1;
  }
  return true;
}
