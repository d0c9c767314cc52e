import { parseTemplate } from './parser.ts';
import { DEFAULT_LIMITS, Renderer, type TemplateLimits } from './render.ts';
import type { TemplateNode } from './syntax.ts';
import { templateError } from './template-error.ts';
import type { TemplateObject } from './values.ts';

const MAX_SOURCE_CHARACTERS = 1_000_000;

export interface Rendered {
  readonly text: string;
  /** Variables that the template read and that nobody gave: they are nothing in the text, as in Nunjucks, and often a mistake. */
  readonly missing: readonly string[];
}

/**
 * The part of Nunjucks that prompts use, walked by ourselves: nothing is compiled to JavaScript and only own members of JSON values can be reached.
 * Values are data; whatever they say, it is never read as a template. Nothing is escaped (a prompt is no HTML).
 * @see https://mozilla.github.io/nunjucks/templating.html
 */
export class Template {
  readonly name: string;
  readonly source: string;
  readonly #nodes: readonly TemplateNode[];

  /**
   * @param name where the text is from, for messages: a path, or a place in a file
   * @throws PlimsollError `invalid_argument` with name:line:column, also for what Nunjucks has and we do not
   */
  constructor(name: string, source: string) {
    if (source.length > MAX_SOURCE_CHARACTERS)
      throw templateError(name, source, 0, `The template has ${source.length} characters; at most ${MAX_SOURCE_CHARACTERS} are read.`);
    this.name = name;
    this.source = source;
    this.#nodes = parseTemplate(name, source);
  }

  /** True for a text without any template syntax. */
  get isPlain(): boolean {
    return this.#nodes.every(({ kind }) => kind === 'text');
  }

  /** @throws PlimsollError `invalid_argument` with name:line:column when a limit is passed or a filter cannot do its work */
  render(variables: TemplateObject, limits: TemplateLimits = DEFAULT_LIMITS): Rendered {
    const renderer = new Renderer(this.name, this.source, variables, limits);
    const text = renderer.render(this.#nodes);
    return { text, missing: [...renderer.missing] };
  }
}
