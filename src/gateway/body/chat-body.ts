import { PlimsollError } from '../../kernel/errors.ts';
import type { OutputCap } from '../client-dialect.ts';
import type { JsonScanner } from './json-scanner.ts';
import { KeyNames } from './key-names.ts';

/** Bytes [start, end) of the request body. */
interface Slice {
  readonly start: number;
  readonly end: number;
}

/** Top-level members that the gateway reads. Naming one twice is refused: parsers disagree on which of the two counts. */
const INTERPRETED = ['model', 'stream', 'stream_options', 'user', 'metadata', 'plimsoll', 'messages'] as const;
type Interpreted = (typeof INTERPRETED)[number];

/** Sampling parameters copied to the call record. */
const PARAMETERS = [
  'temperature',
  'top_p',
  'max_tokens',
  'max_completion_tokens',
  'n',
  'seed',
  'stop',
  'presence_penalty',
  'frequency_penalty',
  'reasoning_effort',
  'service_tier',
  'logprobs',
  'top_logprobs',
] as const;
const PARAMETER_NAMES: ReadonlySet<string> = new Set(PARAMETERS);
const KEYS = new KeyNames([...INTERPRETED, ...PARAMETERS]);
const MAX_PARAMETER_BYTES = 256;

/** A chat request of which only the needed top-level members were looked at; its bytes are never changed. */
export interface ChatBody {
  readonly bytes: Buffer;
  readonly model: string;
  readonly modelSlice: Slice;
  readonly isStream: boolean;
  /** The client asked for `stream_options.include_usage`. */
  readonly includeUsage: boolean;
  readonly streamOptions: Slice | null;
  /** The `plimsoll` member with the comma that goes with it. */
  readonly plimsollMember: Slice | null;
  readonly user: string | null;
  readonly metadata: Slice | null;
  readonly messages: Slice;
  readonly parameters: readonly (readonly [string, Slice])[];
}

function invalid(param: string, message: string): PlimsollError {
  return new PlimsollError('invalid_argument', message, { details: { param } });
}

function text(bytes: Buffer, start: number, end: number): string {
  return bytes.toString('utf8', start, end);
}

/** @returns parsed JSON of a slice that the scanner has already validated */
function parseSlice(bytes: Buffer, slice: Slice): unknown {
  return JSON.parse(text(bytes, slice.start, slice.end));
}

function readBoolean(bytes: Buffer, slice: Slice, name: string): boolean {
  const value = text(bytes, slice.start, slice.end);
  if (value === 'true') return true;
  if (value === 'false' || value === 'null') return false;
  throw invalid(name, `"${name}" must be true or false.`);
}

function readString(bytes: Buffer, slice: Slice, name: string): string {
  const value = parseSlice(bytes, slice);
  if (typeof value !== 'string') throw invalid(name, `"${name}" must be a string.`);
  return value;
}

/** @throws PlimsollError `invalid_argument` unless it is an object or null */
function readObject(bytes: Buffer, slice: Slice, name: string): Record<string, unknown> {
  const value = parseSlice(bytes, slice);
  if (value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value)) throw invalid(name, `"${name}" must be an object.`);
  return value as Record<string, unknown>; // just checked
}

/**
 * Finds the members that the gateway needs and validates the whole text, in one pass without building values.
 * @param bytes valid UTF-8
 * @throws PlimsollError `invalid_argument` for text that is not JSON, is nested too deep, is not an object, names a member that we read twice, or has one of the wrong type
 */
export function scanChatBody(bytes: Buffer, scanner: JsonScanner): ChatBody {
  scanner.reset(bytes);
  if (scanner.peek() === 0x5b) throw new PlimsollError('invalid_argument', 'The body must be a JSON object, not an array.');
  const found: Partial<Record<Interpreted, Slice>> = {};
  const parameters: [string, Slice][] = [];
  let plimsollMember: Slice | null = null;
  let removeUntilNext = -1;
  let previousEnd = -1;
  if (scanner.enter(0x7b)) {
    do {
      scanner.peek();
      const memberStart = scanner.position;
      if (removeUntilNext >= 0) {
        plimsollMember = { start: removeUntilNext, end: memberStart };
        removeUntilNext = -1;
      }
      const keyEnd = scanner.skipKey();
      const key = scanner.hasEscape
        ? (JSON.parse(text(bytes, memberStart, keyEnd + 1)) as string)
        : KEYS.find(bytes, memberStart + 1, keyEnd);
      const start = scanner.position;
      scanner.skipValue();
      const end = scanner.position;
      if (key === null) {
        // Not ours: forwarded as it is.
      } else if (PARAMETER_NAMES.has(key)) {
        if (end - start <= MAX_PARAMETER_BYTES) parameters.push([key, { start, end }]);
      } else if ((INTERPRETED as readonly string[]).includes(key)) {
        const name = key as Interpreted; // just checked
        if (found[name] !== undefined) throw invalid(name, `"${name}" appears twice in the body.`);
        found[name] = { start, end };
        if (name === 'plimsoll') {
          if (previousEnd < 0) removeUntilNext = memberStart;
          else plimsollMember = { start: previousEnd, end };
        }
      }
      previousEnd = end;
    } while (scanner.next(0x7d));
  }
  scanner.finish();

  const { model: modelSlice, messages, stream: streamSlice, user } = found;
  if (modelSlice === undefined)
    throw invalid('model', 'The body has no "model": name a route or a model alias; GET /v1/models lists them.');
  const model = readString(bytes, modelSlice, 'model');
  if (messages === undefined) throw invalid('messages', 'The body has no "messages".');
  const streamOptions = found.stream_options ?? null;
  return {
    bytes,
    model,
    modelSlice,
    isStream: streamSlice !== undefined && readBoolean(bytes, streamSlice, 'stream'),
    includeUsage: streamOptions !== null && readObject(bytes, streamOptions, 'stream_options').include_usage === true,
    streamOptions,
    plimsollMember,
    user: user === undefined || text(bytes, user.start, user.end) === 'null' ? null : readString(bytes, user, 'user'),
    metadata: found.metadata ?? null,
    messages,
    parameters,
  };
}

/** OpenAI's `metadata`: a flat map of strings; what is not a string is left to the provider to judge. */
export function metadataTags(body: ChatBody): Record<string, string> {
  const tags: Record<string, string> = {};
  if (body.metadata === null) return tags;
  for (const [name, value] of Object.entries(readObject(body.bytes, body.metadata, 'metadata'))) {
    if (typeof value === 'string') tags[name] = value;
  }
  return tags;
}

/** The sampling parameters of the request as JSON text. Of a name that appears twice the last one counts, as in JSON.parse. */
export function requestParameters(body: ChatBody): string {
  const members = body.parameters.map(([name, { start, end }]) => `"${name}":${text(body.bytes, start, end)}`);
  return `{${members.join(',')}}`;
}

/** The whole request as a value, for a dialect that must translate it. Without the `plimsoll` member. */
export function parseChatBody(body: ChatBody): Record<string, unknown> {
  const value = JSON.parse(text(body.bytes, 0, body.bytes.length)) as Record<string, unknown>; // the scanner saw an object
  delete value.plimsoll;
  return value;
}

interface Edit extends Slice {
  readonly replacement: Buffer;
}

const NOTHING = Buffer.alloc(0);
const WANT_USAGE = Buffer.from(',"stream_options":{"include_usage":true}');

/**
 * The body for an OpenAI-dialect provider: the client's bytes, untouched but for the model name, `include_usage` on streams, our own member, and a
 * cap of the output where a limit sets one.
 * @param upstreamModel the model id as JSON text, e.g. `"gpt-4o"` with its quotes
 */
export function upstreamChatBody(body: ChatBody, upstreamModel: Buffer, outputCap: OutputCap | null = null): Buffer {
  const { bytes, modelSlice } = body;
  const edits: Edit[] = [];
  let model = outputCap === null ? upstreamModel : Buffer.concat([upstreamModel, Buffer.from(`,"${outputCap.name}":${outputCap.tokens}`)]);
  if (body.isStream && !body.includeUsage) {
    if (body.streamOptions === null) model = Buffer.concat([model, WANT_USAGE]);
    else {
      const options = { ...readObject(bytes, body.streamOptions, 'stream_options'), include_usage: true };
      edits.push({ ...body.streamOptions, replacement: Buffer.from(JSON.stringify(options)) });
    }
  }
  if (model !== upstreamModel || bytes.compare(model, 0, model.length, modelSlice.start, modelSlice.end) !== 0) {
    edits.push({ ...modelSlice, replacement: model });
  }
  if (body.plimsollMember !== null) edits.push({ ...body.plimsollMember, replacement: NOTHING });
  return edits.length === 0 ? bytes : splice(bytes, edits);
}

function splice(bytes: Buffer, edits: Edit[]): Buffer {
  if (edits.length > 1) edits.sort((a, b) => a.start - b.start);
  let length = bytes.length;
  for (const edit of edits) length += edit.replacement.length - (edit.end - edit.start);
  const target = Buffer.allocUnsafe(length);
  let from = 0;
  let to = 0;
  for (const edit of edits) {
    to += bytes.copy(target, to, from, edit.start);
    to += edit.replacement.copy(target, to);
    from = edit.end;
  }
  bytes.copy(target, to, from);
  return target;
}
