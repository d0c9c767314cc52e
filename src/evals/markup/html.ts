const ELEMENTS = new Set(
  'html head title base link meta style body article section nav aside h1 h2 h3 h4 h5 h6 header footer address p hr pre blockquote ol ul li dl dt dd figure figcaption main div a em strong small s cite q dfn abbr ruby rt rp data time code var samp kbd sub sup i b u mark bdi bdo span br wbr img iframe embed object param picture source video audio track map area svg math script noscript canvas ins del table caption colgroup col tbody thead tfoot tr td th form label input button select datalist optgroup option textarea output progress meter fieldset legend details summary dialog menu slot template'.split(
    ' ',
  ),
);
const VOID = new Set('area base br col embed hr img input link meta param source track wbr'.split(' '));
/** Their text is no markup. */
const RAW = new Set('script style textarea title iframe noembed noframes xmp'.split(' '));
/** Begin a new block: an open paragraph ends before them. */
const BLOCKS = new Set(
  'address article aside blockquote center details dialog dir div dl fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr main menu nav ol p pre search section summary table ul'.split(
    ' ',
  ),
);
/** Without influence on where text stands. */
const WRAPPERS = new Set(['html', 'head', 'body']);

interface Tag {
  readonly name: string;
  readonly isEnd: boolean;
  /** Index after it. */
  readonly end: number;
}

const TAG = /<(\/?)([a-zA-Z][^\s/>]*)/y;

/** A tag at "<"; null when there is none, also when it never ends. */
function readTag(text: string, start: number): Tag | null {
  TAG.lastIndex = start;
  const found = TAG.exec(text);
  if (found === null) return null;
  let at = TAG.lastIndex;
  for (let quote = ''; at < text.length; at++) {
    const sign = text.charAt(at);
    if (quote !== '') quote = sign === quote ? '' : quote;
    else if (sign === '>') return { name: (found[2] ?? '').toLowerCase(), isEnd: found[1] === '/', end: at + 1 };
    else if ((sign === '"' || sign === "'") && /[=\s]/.test(text.charAt(at - 1))) quote = sign;
  }
  return null;
}

/** Comment, declaration or instruction at "<": the index after it; 0 when there is none. */
function skipDeclaration(text: string, start: number): number {
  const isComment = text.startsWith('<!--', start);
  if (!isComment && !/^<[!?]/.test(text.slice(start, start + 2))) return 0;
  const end = text.indexOf(isComment ? '-->' : '>', start + 2);
  return end < 0 ? text.length : end + (isComment ? 3 : 1);
}

/** What stands at the top of the body, and whether an element is known. */
interface Seen {
  hasElement: boolean;
  hasBody: boolean;
  hasTopText: boolean;
}

function read(text: string): Seen {
  const seen: Seen = { hasElement: false, hasBody: false, hasTopText: false };
  const lower = text.toLowerCase();
  const open: string[] = [];
  const say = (between: string): void => {
    if (open.length === 0 && between.trim() !== '') seen.hasTopText = true;
  };
  let from = 0;
  for (let start = text.indexOf('<'); start >= 0; start = text.indexOf('<', Math.max(start + 1, from))) {
    const declared = skipDeclaration(text, start);
    const tag = declared > 0 ? null : readTag(text, start);
    if (declared === 0 && tag === null) {
      // Without an end: it and all the rest are lost to the browser, unless no name follows.
      TAG.lastIndex = start;
      if (!TAG.test(text)) continue;
      say(text.slice(from, start));
      return seen;
    }
    say(text.slice(from, start));
    from = tag?.end ?? declared;
    if (tag === null) continue;
    const { name, isEnd } = tag;
    if (isEnd) {
      const at = open.lastIndexOf(name);
      if (at >= 0) open.length = at;
      continue;
    }
    if (ELEMENTS.has(name) || name.includes('-')) seen.hasElement = true;
    if (name === 'body') seen.hasBody = true;
    if (BLOCKS.has(name) && open.includes('p')) open.length = open.lastIndexOf('p');
    if (WRAPPERS.has(name) || VOID.has(name)) continue;
    if (!RAW.has(name)) {
      if (open.length < 512) open.push(name);
      continue;
    }
    const close = lower.indexOf(`</${name}`, from);
    from = close < 0 ? text.length : close;
    if (close >= 0) open.push(name);
  }
  say(text.slice(from));
  return seen;
}

/** Why a text is no HTML; null when it is: a known element, and no text beside elements unless a body is written around it. */
export function htmlMistake(text: string): string | null {
  const trimmed = text.trim();
  if (trimmed === '') return 'it is empty';
  if (/^<\?xml/i.test(trimmed)) return 'it is XML';
  const { hasElement, hasBody, hasTopText } = read(trimmed);
  if (hasTopText && !hasBody) return 'text stands outside of elements';
  return hasElement ? null : 'it has no element of HTML';
}

/** Signs of HTML in a text, by their weights. */
const SIGNS: readonly (readonly [pattern: RegExp, weight: number])[] = [
  [/&(?:[a-zA-Z]{1,40}|#[0-9]{1,10}|#x[0-9a-fA-F]{1,8});/, 1],
  [/<!DOCTYPE\s{1,9}html/i, 2],
  [/\s[a-zA-Z-]{1,40}=\s{0,9}(?:"[^"']*["']|'[^"']*["'])/, 1],
  [/<(?:html|head|body|div|span|p|a|img|h[1-6]|ul|ol|li|table|tr|td|th|form|input|button|script|style|link|meta|br|hr)\b/i, 2],
];

/** Tags as promptfoo's patterns see them: from a name to the next ">". */
function tagsOf(text: string): { hasOpening: boolean; hasClosing: boolean; hasSelfClosing: boolean } {
  const found = { hasOpening: false, hasClosing: false, hasSelfClosing: false };
  const tag = /<(\/?)[a-zA-Z][a-zA-Z0-9-]*(?=[\s/>])/g;
  let end = -1;
  for (let match = tag.exec(text); match !== null; match = tag.exec(text)) {
    const after = tag.lastIndex;
    if (end < after) end = text.indexOf('>', after);
    if (end < 0) return found;
    const inside = text.slice(after, Math.min(end, after + 10_000));
    if (match[1] === '/') found.hasClosing ||= inside.trim() === '';
    else if (inside === '' || /^\s/.test(inside)) found.hasOpening = true;
    if (match[1] === '' && inside.endsWith('/')) found.hasSelfClosing = true;
  }
  return found;
}

/** Whether there is HTML in a text: signs of it, of which one alone is not enough. */
export function containsHtml(text: string): boolean {
  const { hasOpening, hasClosing, hasSelfClosing } = tagsOf(text);
  const comment = text.indexOf('<!--');
  const weight =
    Number(hasOpening) + Number(hasClosing) + Number(hasSelfClosing) + Number(comment >= 0 && text.includes('-->', comment + 4));
  return SIGNS.reduce((sum, [pattern, each]) => sum + (pattern.test(text) ? each : 0), weight) >= 2;
}
