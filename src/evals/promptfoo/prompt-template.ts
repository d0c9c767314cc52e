import { parse } from 'yaml';
import { contentHash } from '../../kernel/ids.ts';
import { parseJsonText } from '../../kernel/parse-json.ts';
import { Template } from '../../prompts/templates/template.ts';
import type { TemplateObject } from '../../prompts/templates/values.ts';
import type { JsonValue, Message } from '../scorer.ts';
import type { RenderedPrompt, SuitePrompt } from '../suite.ts';

/** JSON whose texts are templates. */
type Tree = Template | null | boolean | number | readonly Tree[] | ReadonlyMap<string, Tree>;

function treeOf(value: JsonValue, name: string): Tree {
  if (typeof value === 'string') return new Template(name, value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item: JsonValue) => treeOf(item, name));
  return new Map(Object.entries(value).map(([key, entry]) => [key, treeOf(entry, name)]));
}

function renderTree(tree: Tree, variables: TemplateObject, missing: Set<string>): JsonValue {
  if (tree instanceof Template) {
    const rendered = tree.render(variables);
    for (const name of rendered.missing) missing.add(name);
    return rendered.text;
  }
  if (typeof tree !== 'object' || tree === null) return tree;
  if (tree instanceof Map) return Object.fromEntries([...tree].map(([key, entry]) => [key, renderTree(entry, variables, missing)]));
  return (tree as readonly Tree[]).map((item) => renderTree(item, variables, missing)); // neither of the above
}

function tryParse(read: () => unknown): JsonValue | undefined {
  try {
    return read() as JsonValue; // JSON, or YAML without tags
  } catch {
    return undefined;
  }
}

function asMessages(value: JsonValue | undefined): readonly Message[] | null {
  if (!Array.isArray(value) || value.length === 0) return null;
  const isChat = value.every(
    (item: JsonValue) =>
      typeof item === 'object' && item !== null && !Array.isArray(item) && typeof (item as { role?: JsonValue }).role === 'string',
  );
  return isChat ? (value as unknown as readonly Message[]) : null; // just looked at
}

/**
 * A prompt as promptfoo reads it: JSON keeps its form whatever the variables hold (each text in it is a template of its own), `- role:` lists are
 * YAML, everything else is one user message, unless the rendered text is a list of messages.
 * @throws PlimsollError `invalid_argument` with the template's place
 */
export function readPrompt(source: string, label: string, place: string): SuitePrompt {
  const hash = contentHash(source).slice(0, 16);
  const json = /^\s*[[{]/.test(source) ? tryParse(() => parseJsonText(source)) : undefined;
  const isYaml = json === undefined && /^\s*- role:/.test(source);
  const value = json ?? (isYaml ? tryParse(() => parse(source, { maxAliasCount: 0 })) : undefined);
  if (value !== undefined && (json !== undefined || asMessages(value) !== null)) {
    const tree = treeOf(value, place);
    return {
      label,
      hash,
      render(variables): RenderedPrompt {
        const missing = new Set<string>();
        const rendered = renderTree(tree, variables, missing);
        const text = JSON.stringify(rendered, null, 2);
        return { text, messages: asMessages(rendered) ?? [{ role: 'user', content: text }], missing: [...missing] };
      },
    };
  }
  const template = new Template(place, source);
  const isStatic = template.isPlain;
  return {
    label,
    hash,
    render(variables): RenderedPrompt {
      const { text, missing } = template.render(variables);
      // Only what the author wrote as a list is one: a value that holds JSON stays the user's words.
      const messages = !isStatic && /^\s*\[\s*(\{%|\{)/.test(source) ? asMessages(tryParse(() => parseJsonText(text))) : null;
      return { text, messages: messages ?? [{ role: 'user', content: text }], missing };
    },
  };
}
