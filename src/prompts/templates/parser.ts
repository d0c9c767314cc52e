import { ExpressionParser } from './expression-parser.ts';
import { readSegments, type Segment } from './lexer.ts';
import type { TemplateNode } from './syntax.ts';
import { templateError } from './template-error.ts';

const MAX_BLOCKS = 40;
/** Nunjucks has them; we do not, and say so. */
const UNSUPPORTED: ReadonlySet<string> = new Set([
  'include',
  'import',
  'from',
  'extends',
  'block',
  'macro',
  'call',
  'switch',
  'case',
  'asyncEach',
  'asyncAll',
  'ifAsync',
  'do',
]);

class TemplateParser {
  readonly #name: string;
  readonly #source: string;
  readonly #segments: readonly Segment[];
  #next = 0;
  #depth = 0;
  /** The tag that ended the last body, its words unread. */
  #closing: ExpressionParser | null = null;
  #closingName = '';

  constructor(name: string, source: string) {
    this.#name = name;
    this.#source = source;
    this.#segments = readSegments(name, source);
  }

  parse(): TemplateNode[] {
    return this.#body([], 0, '');
  }

  /** Up to one of the closing tags, which is left in `#closing`. */
  #body(closings: readonly string[], openedAt: number, opened: string): TemplateNode[] {
    if (this.#depth++ > MAX_BLOCKS) throw templateError(this.#name, this.#source, openedAt, `Blocks are nested deeper than ${MAX_BLOCKS}.`);
    const nodes: TemplateNode[] = [];
    for (let segment = this.#segments[this.#next]; segment !== undefined; segment = this.#segments[this.#next]) {
      this.#next++;
      if (segment.kind === 'text') {
        nodes.push(segment);
        continue;
      }
      const words = new ExpressionParser(this.#name, this.#source, segment.tokens, segment.end);
      if (segment.kind === 'output') {
        nodes.push({ kind: 'output', expression: words.expression(), at: segment.at });
        words.end();
        continue;
      }
      const tag = words.takeName('The name of a tag');
      if (closings.includes(tag)) {
        this.#closing = words;
        this.#closingName = tag;
        this.#depth--;
        return nodes;
      }
      nodes.push(this.#tag(tag, words, segment.at));
    }
    if (closings.length > 0)
      throw templateError(this.#name, this.#source, openedAt, `"{% ${opened} %}" has no "{% ${closings.at(-1)} %}".`);
    this.#depth--;
    return nodes;
  }

  #tag(tag: string, words: ExpressionParser, at: number): TemplateNode {
    switch (tag) {
      case 'if':
        return this.#if(words, at);
      case 'for':
        return this.#for(words, at);
      case 'set':
        return this.#set(words, at);
      case 'filter': {
        const { name, arguments: given } = words.filterCall();
        words.end();
        return { kind: 'filtered', name, arguments: given, body: this.#closed(['endfilter'], at, 'filter'), at };
      }
      default:
        throw templateError(
          this.#name,
          this.#source,
          at,
          UNSUPPORTED.has(tag)
            ? `The tag "${tag}" of Nunjucks is not supported in prompts; supported are if, for, set, filter and raw.`
            : `The tag "${tag}" is not known or closes nothing that is open; supported are if, for, set, filter and raw.`,
        );
    }
  }

  #closed(closings: readonly string[], at: number, opened: string): TemplateNode[] {
    const body = this.#body(closings, at, opened);
    this.#closing?.end();
    return body;
  }

  #if(words: ExpressionParser, at: number): TemplateNode {
    const branches = [];
    let condition = words.expression();
    words.end();
    for (;;) {
      branches.push({ condition, body: this.#body(['elif', 'elseif', 'else', 'endif'], at, 'if') });
      if (this.#closingName === 'elif' || this.#closingName === 'elseif') {
        const next = this.#closing;
        if (next === null) return words.fail('A condition is missing.');
        condition = next.expression();
        next.end();
        continue;
      }
      this.#closing?.end();
      const otherwise = this.#closingName === 'else' ? this.#closed(['endif'], at, 'if') : [];
      return { kind: 'if', branches, otherwise, at };
    }
  }

  #for(words: ExpressionParser, at: number): TemplateNode {
    const names = [words.takeName('The name of a variable')];
    while (words.takeIf(',')) names.push(words.takeName('The name of a variable'));
    words.expect('in');
    const over = words.expression();
    words.end();
    const body = this.#closed(['else', 'endfor'], at, 'for');
    const otherwise = this.#closingName === 'else' ? this.#closed(['endfor'], at, 'for') : [];
    return { kind: 'for', names, over, body, otherwise, at };
  }

  #set(words: ExpressionParser, at: number): TemplateNode {
    const names = [words.takeName('The name of a variable')];
    while (words.takeIf(',')) names.push(words.takeName('The name of a variable'));
    if (words.takeIf('=')) {
      const value = words.expression();
      words.end();
      return { kind: 'set', names, value, at };
    }
    words.end();
    return { kind: 'set', names, value: this.#closed(['endset'], at, 'set'), at };
  }
}

/** @throws PlimsollError `invalid_argument` with name:line:column */
export function parseTemplate(name: string, source: string): TemplateNode[] {
  return new TemplateParser(name, source).parse();
}
