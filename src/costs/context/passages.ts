import { parseJsonText } from '../../kernel/parse-json.ts';
import { isRecord } from '../../traces/preview.ts';

/** Shorter texts are questions and instructions, not what was looked up. */
const SHORTEST_PASSAGE = 200;
/** A passage is about a paragraph: a whole document would be read or unread as one. */
const LONGEST_PASSAGE = 1_200;
const MAX_PASSAGES = 500;
const MAX_CHARACTERS = 500_000;
const TAGS = [
  'context',
  'documents',
  'document',
  'sources',
  'source',
  'passages',
  'passage',
  'chunk',
  'search_results',
  'search_result',
  'excerpt',
];

export interface ReadContext {
  /** What was looked up and put before the model. */
  readonly passages: readonly string[];
  /** The last thing that the user said. */
  readonly question: string;
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Texts in a content of any dialect; those of tool results apart. */
function texts(content: unknown, into: { own: string[]; tool: string[] }, isTool: boolean, depth = 0): void {
  if (depth > 8) return;
  if (typeof content === 'string') {
    (isTool ? into.tool : into.own).push(content);
    return;
  }
  for (const part of list(content)) texts(part, into, isTool, depth + 1);
  if (!isRecord(content)) return;
  const isResult =
    isTool || content.type === 'tool_result' || content.type === 'function_call_output' || content.functionResponse !== undefined;
  for (const name of ['text', 'content', 'output', 'parts', 'functionResponse', 'response', 'result']) {
    const inner = content[name];
    if (inner !== undefined) texts(inner, into, isResult, depth + 1);
  }
}

/** Blocks that are marked as documents, as instructions often carry them. Linear: each search goes on where the one before ended. */
function taggedBlocks(text: string): string[] {
  const blocks: string[] = [];
  for (const tag of TAGS) {
    for (let open = text.indexOf(`<${tag}`); open >= 0; ) {
      const start = text.indexOf('>', open);
      const end = start < 0 ? -1 : text.indexOf(`</${tag}>`, start);
      if (end < 0) break;
      blocks.push(text.slice(start + 1, end));
      open = text.indexOf(`<${tag}`, end);
    }
    if (blocks.length > 0) return blocks;
  }
  return blocks;
}

/** Paragraphs; a long one in pieces of whole lines or sentences. */
function paragraphs(text: string): string[] {
  return text
    .replaceAll('\r', '')
    .split(/\n{2,}/)
    .flatMap((paragraph) => {
      if (paragraph.length <= LONGEST_PASSAGE) return [paragraph];
      const pieces: string[] = [];
      let piece = '';
      for (const sentence of paragraph.split(/(?<=[.!?。]\s|\n)/)) {
        piece += sentence;
        if (piece.length >= LONGEST_PASSAGE / 2) {
          pieces.push(piece);
          piece = '';
        }
      }
      return piece === '' ? pieces : [...pieces, piece];
    });
}

/**
 * What a recorded request puts before the model beside instructions and the question: results of tools, passages of users' messages, and marked
 * documents in instructions. Reads the forms of OpenAI, Anthropic and Gemini. Null = no JSON, or no conversation.
 */
export function readContext(input: string): ReadContext | null {
  let body: unknown;
  try {
    body = parseJsonText(input.slice(0, MAX_CHARACTERS * 2));
  } catch {
    return null;
  }
  const messages = Array.isArray(body) ? body : isRecord(body) ? list(body.messages ?? body.contents ?? body.input) : [];
  if (messages.length === 0) return null;
  const instructions = isRecord(body) ? [body.system, body.instructions, body.systemInstruction, body.system_instruction] : [];
  const looked: string[] = [];
  const said: string[] = [];
  const take = (text: string): void => {
    looked.push(...paragraphs(text).filter((passage) => passage.trim().length >= SHORTEST_PASSAGE));
  };
  const takeInstructions = (content: unknown): void => {
    const found = { own: [] as string[], tool: [] as string[] };
    texts(content, found, false);
    for (const text of found.own) for (const block of taggedBlocks(text)) take(block);
  };
  for (const content of instructions) if (content !== undefined) takeInstructions(content);
  for (const message of messages) {
    if (!isRecord(message)) continue;
    const role = typeof message.role === 'string' ? message.role : '';
    if (role === 'assistant' || role === 'model') continue;
    if (role === 'system' || role === 'developer') {
      takeInstructions(message);
      continue;
    }
    const found = { own: [] as string[], tool: [] as string[] };
    texts(message, found, role === 'tool' || role === 'function');
    for (const text of found.tool) take(text);
    said.push(...found.own.flatMap(paragraphs));
  }
  const question = said.findLast((text) => text.trim() !== '') ?? '';
  const before = said.slice(0, Math.max(0, said.lastIndexOf(question)));
  const passages = [...looked, ...before.filter((passage) => passage.trim().length >= SHORTEST_PASSAGE)];
  return { passages: passages.slice(0, MAX_PASSAGES), question };
}
