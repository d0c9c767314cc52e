import { Lexer, type Token } from 'marked';

/**
 * Our own tree between marked's lexer and React. What cannot be expressed here cannot be rendered: no raw HTML, no attributes,
 * no URL but `http:`, `https:` and `mailto:`, no image that loads.
 */
export type MarkdownNode =
  | { readonly kind: 'text' | 'code'; readonly text: string }
  | { readonly kind: 'strong' | 'emphasis' | 'deleted' | 'paragraph' | 'quote'; readonly children: readonly MarkdownNode[] }
  | { readonly kind: 'heading'; readonly level: number; readonly children: readonly MarkdownNode[] }
  | {
      readonly kind: 'link';
      readonly href: string;
      readonly host: string;
      readonly isHostShown: boolean;
      readonly children: readonly MarkdownNode[];
    }
  | { readonly kind: 'image'; readonly alternative: string; readonly source: string }
  | { readonly kind: 'codeBlock'; readonly language: string; readonly text: string }
  | { readonly kind: 'list'; readonly isOrdered: boolean; readonly start: number; readonly items: readonly (readonly MarkdownNode[])[] }
  | { readonly kind: 'checkbox'; readonly isChecked: boolean }
  | {
      readonly kind: 'table';
      readonly align: readonly Align[];
      readonly head: readonly Cell[];
      readonly rows: readonly (readonly Cell[])[];
    }
  | { readonly kind: 'break' | 'rule' };
type Align = 'left' | 'right' | 'center' | null;
type Cell = readonly MarkdownNode[];

/** Longer texts are shown plainly: the lexer's time grows with hostile input. */
export const MAX_MARKDOWN_LENGTH = 20_000;
const MAX_DEPTH = 16;

/** Parses model output. Never throws: what the lexer cannot take comes back as one plain paragraph. */
export function parseMarkdown(source: string): readonly MarkdownNode[] {
  if (source.length > MAX_MARKDOWN_LENGTH) return plain(source);
  try {
    return convert(new Lexer({ gfm: true, breaks: true }).lex(source), 0);
  } catch {
    return plain(source);
  }
}

const plain = (text: string): readonly MarkdownNode[] => [{ kind: 'paragraph', children: [{ kind: 'text', text }] }];

/** A URL that may be followed, or null. */
export function safeUrl(href: string): URL | null {
  let url: URL;
  try {
    url = new URL(href.trim());
  } catch {
    return null;
  }
  return url.protocol === 'http:' || url.protocol === 'https:' || url.protocol === 'mailto:' ? url : null;
}

function convert(tokens: readonly Token[] | undefined, depth: number): readonly MarkdownNode[] {
  if (!tokens) return [];
  if (depth > MAX_DEPTH) return tokens.map((token) => ({ kind: 'text', text: token.raw }));
  return tokens.flatMap((token) => convertToken(token, depth + 1));
}

function convertToken(generic: Token, depth: number): readonly MarkdownNode[] {
  // marked's Token has an open member for extensions; none is installed, so the closed union is what arrives.
  const token = generic as import('marked').MarkedToken;
  switch (token.type) {
    case 'space':
    case 'def':
      return [];
    case 'paragraph':
      return [{ kind: 'paragraph', children: convert(token.tokens, depth) }];
    case 'text':
      return token.tokens ? convert(token.tokens, depth) : [{ kind: 'text', text: decodeEntities(token.text) }];
    case 'escape':
      return [{ kind: 'text', text: token.text }];
    case 'html':
      return [{ kind: 'text', text: token.raw }];
    case 'strong':
      return [{ kind: 'strong', children: convert(token.tokens, depth) }];
    case 'em':
      return [{ kind: 'emphasis', children: convert(token.tokens, depth) }];
    case 'del':
      return [{ kind: 'deleted', children: convert(token.tokens, depth) }];
    case 'codespan':
      return [{ kind: 'code', text: token.text }];
    case 'br':
      return [{ kind: 'break' }];
    case 'hr':
      return [{ kind: 'rule' }];
    case 'heading':
      return [{ kind: 'heading', level: token.depth, children: convert(token.tokens, depth) }];
    case 'blockquote':
      return [{ kind: 'quote', children: convert(token.tokens, depth) }];
    case 'code':
      return [{ kind: 'codeBlock', language: (token.lang ?? '').split(/\s/)[0]?.slice(0, 24) ?? '', text: token.text }];
    case 'checkbox':
      return [{ kind: 'checkbox', isChecked: token.checked }];
    case 'list':
      return [
        {
          kind: 'list',
          isOrdered: token.ordered,
          start: typeof token.start === 'number' ? token.start : 1,
          items: token.items.map((item) => convert(item.tokens, depth)),
        },
      ];
    case 'list_item':
      return convert(token.tokens, depth);
    case 'table':
      return [
        {
          kind: 'table',
          align: token.align,
          head: token.header.map((cell) => convert(cell.tokens, depth)),
          rows: token.rows.map((row) => row.map((cell) => convert(cell.tokens, depth))),
        },
      ];
    case 'image':
      return [{ kind: 'image', alternative: token.text, source: token.href }];
    case 'link':
      return [link(token.href, token.text, convert(token.tokens, depth), token.raw)];
    default:
      token satisfies never;
      return [{ kind: 'text', text: generic.raw }];
  }
}

function link(href: string, text: string, children: readonly MarkdownNode[], raw: string): MarkdownNode {
  const url = safeUrl(href);
  if (url === null) return { kind: 'text', text: raw };
  const host = url.protocol === 'mailto:' ? decodeURIComponentSafely(url.pathname) : url.host;
  return { kind: 'link', href: url.href, host, isHostShown: !text.toLowerCase().includes(host.toLowerCase()), children };
}

function decodeURIComponentSafely(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'", nbsp: '\u00a0' };

/** The few entities that models write; the result is a text node, so nothing comes alive. */
function decodeEntities(text: string): string {
  return text.replace(/&(amp|lt|gt|quot|#39|nbsp);/g, (all, name: string) => ENTITIES[name] ?? all);
}
