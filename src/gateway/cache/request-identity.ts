import type { Call } from '../call.ts';
import type { DecodedRequest } from '../client-dialect.ts';
import { CanonicalWriter, canonicalJson, countMembers, parseExactly } from './canonical-json.ts';
import { MAX_TEXT_CHARACTERS } from './question-text.ts';

/**
 * Members that say who asks, where to and in what form the answer comes, not what is asked. Everything else counts, known or not: a member
 * that turns out to matter must never have been left out.
 */
const NOT_THE_QUESTION: ReadonlySet<string> = new Set([
  'model', // the destination stands for it
  'stream',
  'stream_options',
  'user',
  'safety_identifier',
  'metadata',
  'plimsoll',
  'prompt_cache_key',
  'prompt_cache_retention',
]);

/** Members that say in what form an answer comes, and nothing of what is in it. */
const NOT_THE_ANSWER: ReadonlySet<string> = new Set(['model', 'stream', 'stream_options', 'plimsoll']);

/** Members that make an answer depend on state that changes elsewhere, or act on it. */
const STATEFUL: readonly string[] = ['conversation', 'background'];

type Loose = Readonly<Record<string, unknown>>;

/** What a request asks, apart from who asks and in which form. */
export interface RequestIdentity {
  /** Equal text = the same question, whatever dialect it came in, where the dialect says the same in the hub's terms. */
  readonly canonical: string;
  /** The request in the hub's form; null when it cannot be said there. */
  readonly hub: Loose | null;
  readonly temperature: number | null;
  readonly hasTools: boolean;
}

/** The request with the text of its last user message taken out, for comparing texts under equal circumstances. */
export interface RequestContext {
  readonly canonical: string;
  readonly text: string;
}

function question(body: Loose, writer: CanonicalWriter, leftOut = NOT_THE_QUESTION): string {
  let text = '{';
  for (const name of Object.keys(body).sort()) {
    // Counted also where it does not count as part of the question.
    const value = writer.write(body[name]);
    writer.members++;
    if (body[name] === null || leftOut.has(name) || (name === 'n' && body[name] === 1)) continue;
    text += `${text === '{' ? '' : ','}${JSON.stringify(name)}:${value}`;
  }
  return `${text}}`;
}

function temperatureOf(body: Loose): number | null {
  const nested = body.generationConfig;
  const value = body.temperature ?? (typeof nested === 'object' && nested !== null ? (nested as Loose).temperature : null);
  return typeof value === 'number' ? value : null;
}

function decode(call: Call): DecodedRequest | null {
  try {
    return call.peekHubRequest();
  } catch {
    // It has no counterpart in the hub; a provider of its own dialect can answer it all the same.
    return null;
  }
}

/**
 * @returns a reason (text) when no two such requests may share an answer
 */
export function identifyRequest(call: Call): RequestIdentity | string {
  const { body, dialect } = call;
  if (body === null) return 'no body';
  const { bytes, plimsollMember } = body;
  const own = parseExactly(bytes.toString('utf8')) as Record<string, unknown>; // the scanner saw an object
  delete own.plimsoll;
  const writer = new CanonicalWriter();
  const hasOwnForm = dialect.hasOwnForm?.(own) ?? false;
  const ownQuestion = question(own, writer, hasOwnForm ? NOT_THE_ANSWER : NOT_THE_QUESTION);
  const foreign = plimsollMember === null ? 0 : countMembers(bytes, plimsollMember.start, plimsollMember.end);
  // Of a name that appears twice providers may read the one that we do not see: such a request could poison another's answer.
  if (writer.members !== countMembers(bytes) - foreign) return 'a member appears twice';
  const decoded = dialect.translation === null ? { body: own, warnings: [] } : decode(call);
  const inspected = decoded?.body ?? own;
  for (const name of STATEFUL)
    if (inspected[name] !== undefined && inspected[name] !== null && inspected[name] !== false) return `"${name}" is set`;
  // What a translation drops, or a double cannot hold, may still count for a provider of the client's own dialect.
  const isLossless =
    !hasOwnForm && decoded !== null && decoded.warnings.length === 0 && (dialect.translation === null || !writer.hasInexact);
  const beta = call.request.headers['anthropic-beta'];
  const canonical = !isLossless
    ? `${dialect.name} ${JSON.stringify(beta ?? null)} ${ownQuestion}`
    : dialect.translation === null
      ? ownQuestion
      : `${beta === undefined ? '' : JSON.stringify(beta)}${question(decoded.body, new CanonicalWriter())}`;
  const { tools, functions } = inspected;
  return {
    canonical,
    hub: isLossless ? decoded.body : null,
    temperature: temperatureOf(inspected),
    hasTools: (Array.isArray(tools) && tools.length > 0) || (Array.isArray(functions) && functions.length > 0),
  };
}

/** @returns null when the last user message is not plain text alone, is long, or is not there */
export function requestContext(hub: Loose): RequestContext | null {
  const { messages } = hub;
  if (!Array.isArray(messages)) return null;
  const list = messages as readonly unknown[];
  const index = list.findLastIndex((message) => typeof message === 'object' && message !== null && (message as Loose).role === 'user');
  if (index < 0) return null;
  const message = list[index] as Loose; // found as an object
  const text = plainText(message.content);
  if (text === null || text.length > MAX_TEXT_CHARACTERS || text.trim() === '') return null;
  const others = list.map((entry, at) => (at === index ? { ...message, content: null } : entry));
  return { canonical: question({ ...hub, messages: others }, new CanonicalWriter()), text };
}

function plainText(content: unknown): string | null {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content) || content.length !== 1) return null;
  const [part] = content as readonly unknown[];
  if (typeof part !== 'object' || part === null) return null;
  const { type, text } = part as Loose;
  return type === 'text' && typeof text === 'string' && canonicalJson(Object.keys(part).sort()) === '["text","type"]' ? text : null;
}
