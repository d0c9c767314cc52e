import { PlimsollError } from '../../kernel/errors.ts';
import { parseJsonText } from '../../kernel/parse-json.ts';
import type { OutputCap } from '../client-dialect.ts';
import type { JsonScanner } from './json-scanner.ts';
import { KeyNames } from './key-names.ts';

/** Bytes [start, end) of the request body. */
interface Slice {
  readonly start: number;
  readonly end: number;
}

/** Top-level members that the gateway reads, by what they mean. Naming one twice is refused: parsers disagree on which of the two counts. */
type Meaning = 'model' | 'conversation' | 'stream' | 'stream_options' | 'user' | 'metadata' | 'background' | 'settings' | 'plimsoll';

/** How a dialect names what the gateway reads. Built once per dialect. */
export class BodyShape {
  /** Name on the wire → meaning. `settings` is an object that holds parameters. */
  readonly members: ReadonlyMap<string, Meaning>;
  /** Sampling parameters copied to the call record: name on the wire → OpenAI's name for it. */
  readonly parameters: ReadonlyMap<string, string>;
  readonly keys: KeyNames;

  constructor(members: Readonly<Record<string, Meaning>>, parameters: Readonly<Record<string, string>>) {
    this.members = new Map(Object.entries(members));
    this.parameters = new Map(Object.entries(parameters));
    this.keys = new KeyNames([...this.members.keys(), ...this.parameters.keys()]);
  }

  /** Name on the wire of a member, for messages. */
  nameOf(wanted: Meaning): string {
    for (const [name, meaning] of this.members) if (meaning === wanted) return name;
    return wanted;
  }
}

/** Parameters that keep OpenAI's names. */
export function sameNames(...names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, name]));
}

const OPENAI_CHAT = new BodyShape(
  {
    model: 'model',
    messages: 'conversation',
    stream: 'stream',
    stream_options: 'stream_options',
    user: 'user',
    metadata: 'metadata',
    plimsoll: 'plimsoll',
  },
  sameNames(
    ...['temperature', 'top_p', 'max_tokens', 'max_completion_tokens', 'n', 'seed', 'stop', 'presence_penalty', 'frequency_penalty'],
    ...['reasoning_effort', 'service_tier', 'logprobs', 'top_logprobs'],
  ),
);
const MAX_PARAMETER_BYTES = 256;

/** A chat request of which only the needed top-level members were looked at; its bytes are never changed. */
export interface ChatBody {
  readonly bytes: Buffer;
  readonly model: string;
  /** Null where the dialect names the model in the path. */
  readonly modelSlice: Slice | null;
  readonly isStream: boolean;
  /** False when a stream is wanted as one JSON array, which Gemini's clients may choose. */
  readonly isEventStream: boolean;
  /** The client asked for `stream_options.include_usage`. */
  readonly includeUsage: boolean;
  readonly streamOptions: Slice | null;
  /** The `plimsoll` member with the comma that goes with it. */
  readonly plimsollMember: Slice | null;
  readonly user: string | null;
  readonly metadata: Slice | null;
  /** The conversation: a list of messages in the dialect's own form, or a text. */
  readonly messages: Slice;
  /** The object that holds the parameters where a dialect has one (Gemini's `generationConfig`). */
  readonly settings: Slice | null;
  /** By OpenAI's names. */
  readonly parameters: readonly (readonly [string, Slice])[];
  /** What is kept with the trace in place of the bytes; absent = the bytes. */
  readonly summary?: Buffer;
}

/** What one pass over a body found. */
export interface ScannedBody {
  readonly bytes: Buffer;
  readonly shape: BodyShape;
  readonly found: Readonly<Partial<Record<Meaning, Slice>>>;
  readonly parameters: [string, Slice][];
  readonly plimsollMember: Slice | null;
}

function invalid(param: string, message: string): PlimsollError {
  return new PlimsollError('invalid_argument', message, { details: { param } });
}

function text(bytes: Buffer, start: number, end: number): string {
  return bytes.toString('utf8', start, end);
}

/** @returns parsed JSON of a slice that the scanner has already validated */
function parseSlice(bytes: Buffer, slice: Slice): unknown {
  return parseJsonText(text(bytes, slice.start, slice.end));
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
export function readObject(bytes: Buffer, slice: Slice, name: string): Record<string, unknown> {
  const value = parseSlice(bytes, slice);
  if (value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value)) throw invalid(name, `"${name}" must be an object.`);
  return value as Record<string, unknown>; // just checked
}

/**
 * Finds the members that the gateway needs and validates the whole text, in one pass without building values.
 * @param bytes valid UTF-8
 * @throws PlimsollError `invalid_argument` for text that is not JSON, is nested too deep, is not an object, or names a member that we read twice
 */
export function scanBody(bytes: Buffer, scanner: JsonScanner, shape: BodyShape): ScannedBody {
  scanner.reset(bytes);
  if (scanner.peek() === 0x5b) throw new PlimsollError('invalid_argument', 'The body must be a JSON object, not an array.');
  const scanned = scanMembers(bytes, scanner, shape);
  scanner.finish();
  const { settings } = scanned.found;
  if (settings !== undefined && bytes[settings.start] === 0x7b) {
    scanner.reset(bytes, settings.start, settings.end);
    scanned.parameters.push(...scanMembers(bytes, scanner, shape).parameters);
  }
  return scanned;
}

function scanMembers(bytes: Buffer, scanner: JsonScanner, shape: BodyShape): ScannedBody {
  const found: Partial<Record<Meaning, Slice>> = {};
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
        : shape.keys.find(bytes, memberStart + 1, keyEnd);
      const start = scanner.position;
      scanner.skipValue();
      const end = scanner.position;
      if (key !== null) {
        const parameter = shape.parameters.get(key);
        if (parameter !== undefined) {
          if (end - start <= MAX_PARAMETER_BYTES) parameters.push([parameter, { start, end }]);
        } else {
          const meaning = shape.members.get(key);
          if (meaning !== undefined) {
            if (found[meaning] !== undefined) throw invalid(key, `"${key}" appears twice in the body.`);
            found[meaning] = { start, end };
            if (meaning === 'plimsoll') {
              if (previousEnd < 0) removeUntilNext = memberStart;
              else plimsollMember = { start: previousEnd, end };
            }
          }
        }
      }
      previousEnd = end;
    } while (scanner.next(0x7d));
  }
  return { bytes, shape, found, parameters, plimsollMember };
}

/** The members that most dialects share, read out of a scan. @throws PlimsollError `invalid_argument` for one that is missing or has the wrong type */
export function readScannedBody({ bytes, shape, found, parameters, plimsollMember }: ScannedBody): ChatBody {
  const { model: modelSlice, conversation, stream: streamSlice, user } = found;
  if (modelSlice === undefined)
    throw invalid('model', 'The body has no "model": name a route or a model alias; GET /v1/models lists them.');
  const model = readString(bytes, modelSlice, 'model');
  if (conversation === undefined) throw missingConversation(shape);
  const streamOptions = found.stream_options ?? null;
  return {
    bytes,
    model,
    modelSlice,
    isStream: streamSlice !== undefined && readBoolean(bytes, streamSlice, 'stream'),
    isEventStream: true,
    includeUsage: streamOptions !== null && readObject(bytes, streamOptions, 'stream_options').include_usage === true,
    streamOptions,
    plimsollMember,
    user: user === undefined || text(bytes, user.start, user.end) === 'null' ? null : readString(bytes, user, 'user'),
    metadata: found.metadata ?? null,
    messages: conversation,
    settings: null,
    parameters,
  };
}

export function missingConversation(shape: BodyShape): PlimsollError {
  const name = shape.nameOf('conversation');
  return invalid(name, `The body has no "${name}".`);
}

/** @throws PlimsollError `invalid_argument` */
export function scanChatBody(bytes: Buffer, scanner: JsonScanner): ChatBody {
  return readScannedBody(scanBody(bytes, scanner, OPENAI_CHAT));
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
  const value = parseJsonText(text(body.bytes, 0, body.bytes.length)) as Record<string, unknown>; // the scanner saw an object
  delete value.plimsoll;
  return value;
}

/** A body in pieces that are sent one after the other: what stays as it is need not be copied. */
export type BodyPieces = readonly Buffer[];

export function wholeBody(body: Buffer | BodyPieces): Buffer {
  if (Buffer.isBuffer(body)) return body;
  const [only] = body;
  return body.length === 1 && only !== undefined ? only : Buffer.concat(body);
}

/** Bytes to put in the place of a slice. */
export interface Edit extends Slice {
  readonly replacement: Buffer;
}

const NOTHING = Buffer.alloc(0);
const WANT_USAGE = Buffer.from(',"stream_options":{"include_usage":true}');

/**
 * The body for an OpenAI-dialect provider: the client's bytes, untouched but for the model name, `include_usage` on streams, our own member, and a
 * cap of the output where a limit sets one.
 * @param upstreamModel the model id as JSON text, e.g. `"gpt-4o"` with its quotes
 */
export function upstreamChatBody(body: ChatBody, upstreamModel: Buffer, outputCap: OutputCap | null = null): BodyPieces {
  const { bytes } = body;
  const edits: Edit[] = [];
  let model = outputCap === null ? upstreamModel : withMember(upstreamModel, outputCap.name, outputCap.tokens);
  if (body.isStream && !body.includeUsage) {
    if (body.streamOptions === null) model = Buffer.concat([model, WANT_USAGE]);
    else {
      const options = { ...readObject(bytes, body.streamOptions, 'stream_options'), include_usage: true };
      edits.push({ ...body.streamOptions, replacement: Buffer.from(JSON.stringify(options)) });
    }
  }
  return replaceModel(body, model, edits);
}

/** A model id as JSON text, and another member after it: where the model stands, both can. */
export function withMember(model: Buffer, name: string, value: number): Buffer {
  return Buffer.concat([model, Buffer.from(`,"${name}":${value}`)]);
}

/** The client's bytes, untouched but for the model name (where the body holds it) and our own member. @param model as JSON text */
export function replaceModel(body: ChatBody, model: Buffer, edits: Edit[] = []): BodyPieces {
  const { bytes, modelSlice, plimsollMember } = body;
  if (modelSlice !== null && bytes.compare(model, 0, model.length, modelSlice.start, modelSlice.end) !== 0) {
    edits.push({ ...modelSlice, replacement: model });
  }
  if (plimsollMember !== null) edits.push({ ...plimsollMember, replacement: NOTHING });
  return edits.length === 0 ? [bytes] : splice(bytes, edits);
}

function splice(bytes: Buffer, edits: Edit[]): BodyPieces {
  if (edits.length > 1) edits.sort((a, b) => a.start - b.start);
  const pieces: Buffer[] = [];
  let from = 0;
  for (const { start, end, replacement } of edits) {
    if (start > from) pieces.push(bytes.subarray(from, start));
    if (replacement.length > 0) pieces.push(replacement);
    from = end;
  }
  if (from < bytes.length) pieces.push(bytes.subarray(from));
  return pieces;
}
