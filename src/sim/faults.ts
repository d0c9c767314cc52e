import { PlimsollError } from '../kernel/errors.ts';

interface FaultRow {
  /** Where it happens: in one request, or at the listener, before there is a request. */
  readonly reach: 'request' | 'listener';
  /** What the number after the name means; null = it takes none. Without `initial` the number is required. */
  readonly value: { readonly unit: string; readonly initial: number | null } | null;
  readonly summary: string;
  /** What the invoice shows for a request that it hits. */
  readonly billed: 'nothing' | 'input' | 'what was sent' | 'everything';
}

const COUNT_OF_EVENTS = { unit: 'events', initial: null };
const MILLISECONDS = { unit: 'milliseconds', initial: null };

/** Everything that can be made to go wrong. The reference page is made from this table. */
export const FAULTS = {
  error: {
    reach: 'request',
    value: { unit: 'HTTP status, 400 to 599', initial: null },
    summary: 'An error in the shape of the dialect: 429, 500, 502, 503, 529 … With `retry-after`, `retry-after-ms` or `retry-after-date`.',
    billed: 'nothing',
  },
  key_revoked: {
    reach: 'request',
    value: null,
    summary: 'The key is not accepted any more: 401, Gemini 400 `API_KEY_INVALID`, Bedrock 403. With `key=K` only that key.',
    billed: 'nothing',
  },
  context_length: { reach: 'request', value: null, summary: 'The input is longer than the context of the model.', billed: 'nothing' },
  content_filter: {
    reach: 'request',
    value: null,
    summary:
      'The prompt is refused by the content filter. `content_filter=output`: the answer begins and is stopped half-way, with the dialect’s finish reason.',
    billed: 'nothing',
  },
  html_page: {
    reach: 'request',
    value: { unit: 'HTTP status', initial: 502 },
    summary: 'A proxy’s HTML page instead of an answer; 200 is possible too.',
    billed: 'nothing',
  },
  connect_refused: {
    reach: 'listener',
    value: null,
    summary: 'The port is closed and open connections are reset: connecting is refused. Only by `POST /sim/faults`, for a duration.',
    billed: 'nothing',
  },
  accept_reset: {
    reach: 'listener',
    value: null,
    summary: 'New connections are accepted and reset at once, as by a broken TLS endpoint. Only by `POST /sim/faults`, for a duration.',
    billed: 'nothing',
  },
  connection_reset: {
    reach: 'request',
    value: null,
    summary: 'The connection is reset (TCP RST) before the first byte.',
    billed: 'nothing',
  },
  timeout: { reach: 'request', value: null, summary: 'No byte is ever sent; the connection stays open.', billed: 'nothing' },
  headers_then_hang: {
    reach: 'request',
    value: null,
    summary: 'Status 200 and headers come, then nothing; the connection stays open.',
    billed: 'nothing',
  },
  slow_first_byte: {
    reach: 'request',
    value: MILLISECONDS,
    summary: 'The first byte comes so much later; the rest follows as planned.',
    billed: 'everything',
  },
  slow_chunks: {
    reach: 'request',
    value: MILLISECONDS,
    summary: 'A slow drip: so much time between two pieces of a stream (a JSON body comes in eight pieces), never a long silence.',
    billed: 'everything',
  },
  cut_after: {
    reach: 'request',
    value: COUNT_OF_EVENTS,
    summary: 'The connection breaks after so many events of a stream; a JSON body breaks half-way.',
    billed: 'what was sent',
  },
  stall_after: {
    reach: 'request',
    value: COUNT_OF_EVENTS,
    summary: 'Silence after so many events of a stream (a JSON body: half-way); the connection stays open.',
    billed: 'what was sent',
  },
  error_first_event: {
    reach: 'request',
    value: null,
    summary: 'Status 200, and the first event of the stream is an error; a JSON answer is an error body with status 200.',
    billed: 'nothing',
  },
  error_after: {
    reach: 'request',
    value: COUNT_OF_EVENTS,
    summary: 'Status 200, and an error event ends the stream after so many events; a JSON answer is an error body with status 200.',
    billed: 'what was sent',
  },
  malformed_json: {
    reach: 'request',
    value: null,
    summary: 'Truncated JSON with status 200 and a length that fits: 70 % of a body, half of the data of a stream’s third event.',
    billed: 'everything',
  },
  malformed_sse: {
    reach: 'request',
    value: null,
    summary:
      'The framing of a stream’s third event is broken: two events run into one (SSE), a comma is missing (JSON array), a checksum is wrong (event stream). A JSON answer is not changed.',
    billed: 'everything',
  },
  empty: { reach: 'request', value: null, summary: 'Status 200 and no body at all.', billed: 'nothing' },
  empty_completion: {
    reach: 'request',
    value: null,
    summary: 'A well-formed answer without any content and with the usual finish reason; 0 output tokens.',
    billed: 'input',
  },
  wrong_content_type: {
    reach: 'request',
    value: null,
    summary: 'The right answer with `content-type: text/html`.',
    billed: 'everything',
  },
  huge_headers: {
    reach: 'request',
    value: { unit: 'bytes', initial: 65_536 },
    summary: 'So many bytes of extra response headers.',
    billed: 'everything',
  },
  no_usage: { reach: 'request', value: null, summary: 'The answer does not say its usage.', billed: 'everything' },
  no_finish_reason: { reach: 'request', value: null, summary: 'The answer does not say why it ended.', billed: 'everything' },
  duplicate_final: {
    reach: 'request',
    value: null,
    summary: 'Everything after the last content of a stream (finish reason, usage, end mark) is sent twice.',
    billed: 'everything',
  },
  out_of_order: {
    reach: 'request',
    value: null,
    summary: 'The indexes of choices, blocks and tool calls in a stream run backwards: the last comes first.',
    billed: 'everything',
  },
  refusal: { reach: 'request', value: null, summary: 'The model declines to answer.', billed: 'everything' },
  tool_loop: {
    reach: 'request',
    value: { unit: 'steps until it answers', initial: 1_000_000 },
    summary: 'A runaway agent: the model calls the same tool with the same arguments at every step.',
    billed: 'everything',
  },
} as const satisfies Readonly<Record<string, FaultRow>>;
export type FaultName = keyof typeof FAULTS;
// Object.keys of a literal object gives exactly its keys.
export const FAULT_NAMES = Object.keys(FAULTS) as readonly FaultName[];

export interface Fault {
  readonly name: FaultName;
  /** In the unit of the table; null for faults without one. */
  readonly value: number | null;
  /** `content_filter=output` stops the answer instead of refusing the request. */
  readonly isOnOutput: boolean;
  /** Header that says when to try again. */
  readonly retryAfter: { readonly form: 'seconds' | 'ms' | 'date'; readonly amount: number } | null;
  /** Only calls of this model. */
  readonly model: string | null;
  /** Only calls with this API key. */
  readonly key: string | null;
  /** Only the first N requests with this fault and this last user message, over all models: `first=1` lets a fallback succeed. */
  readonly first: number | null;
  /** The text it was read from. */
  readonly text: string;
}

/** Options that stand behind a fault, each after a semicolon. */
export const FAULT_OPTIONS = {
  'retry-after': 'Header `retry-after` in seconds',
  'retry-after-ms': 'Header `retry-after-ms` in milliseconds',
  'retry-after-date': 'Header `retry-after` as an HTTP date, so many seconds from now',
  model: 'Only calls of this model',
  key: 'Only calls with this API key',
  first:
    'Only the first N requests with this fault and this last user message, over all models: `first=1` lets a retry or a fallback succeed',
  id: 'Means nothing; keeps two faults with `first` apart',
} as const;

function invalid(text: string, why: string): PlimsollError {
  return new PlimsollError('invalid_argument', `Fault "${text}": ${why}. Known: ${FAULT_NAMES.join(', ')}`, { details: { fault: text } });
}

function wholeNumber(text: string, from: string): number {
  if (!/^\d{1,7}$/.test(text)) throw invalid(from, `"${text}" is not a whole number`);
  return Number(text);
}

function numberOf(name: FaultName, argument: string | undefined, text: string): number | null {
  const row: FaultRow = FAULTS[name];
  if (row.value === null) {
    if (argument !== undefined) throw invalid(text, `${name} takes no number`);
    return null;
  }
  if (argument === undefined) {
    if (row.value.initial === null)
      throw invalid(text, `needs a number (${row.value.unit}), as in "${name}=${name === 'error' ? 500 : 3}"`);
    return row.value.initial;
  }
  const value = wholeNumber(argument, text);
  if (name === 'error' && (value < 400 || value > 599)) throw invalid(text, 'the status must be 400 to 599');
  if (name === 'html_page' && (value < 200 || value > 599)) throw invalid(text, 'the status must be 200 to 599');
  if (name === 'huge_headers' && value > 1_048_576) throw invalid(text, 'at most 1048576 bytes');
  return value;
}

const RETRY_FORMS = { 'retry-after': 'seconds', 'retry-after-ms': 'ms', 'retry-after-date': 'date' } as const;

/**
 * Reads one fault: `name[:value|=value][;option=…]`, e.g. `error:429;retry-after=2`, `cut_after=3;model=sim-large`.
 * @throws PlimsollError `invalid_argument` when it is not understood
 */
export function parseFault(text: string): Fault {
  const [head = '', ...options] = text.split(';').map((part) => part.trim());
  const match = /^([a-z_]+)(?:[:=](\w+))?$/.exec(head);
  const name = FAULT_NAMES.find((known) => known === match?.[1]);
  if (!match || name === undefined) throw invalid(text, 'not known');
  const isOnOutput = name === 'content_filter' && match[2] === 'output';
  const value = isOnOutput ? null : numberOf(name, match[2], text);
  let retryAfter: Fault['retryAfter'] = null;
  let model: string | null = null;
  let key: string | null = null;
  let first: number | null = null;
  for (const option of options) {
    const at = option.indexOf('=');
    const [word, argument] = at < 0 ? [option, ''] : [option.slice(0, at), option.slice(at + 1)];
    switch (word) {
      case 'retry-after':
      case 'retry-after-ms':
      case 'retry-after-date':
        retryAfter = { form: RETRY_FORMS[word], amount: wholeNumber(argument, text) };
        break;
      case 'model':
        model = argument;
        break;
      case 'key':
        key = argument;
        break;
      case 'first':
        first = wholeNumber(argument, text);
        break;
      case 'id':
        break;
      default:
        throw invalid(text, `option "${word}" is not known (${Object.keys(FAULT_OPTIONS).join(', ')})`);
    }
  }
  return { name, value, isOnOutput, retryAfter, model, key, first, text };
}

/** Reads a list of faults, separated by commas. */
export function parseFaults(text: string): Fault[] {
  return text
    .split(',')
    .filter((part) => part.trim() !== '')
    .map((part) => parseFault(part.trim()));
}

const MAGIC_LINE = /(?:^|\n)[ \t]*\[\[sim:fault=([^\]\n]*)\]\][ \t]*\n?$/;

/** The fault that the last line of a message asks for, and the message without that line. */
export function splitMagicFault(message: string): { readonly text: string; readonly fault: string | null } {
  const match = MAGIC_LINE.exec(message);
  return match === null ? { text: message, fault: null } : { text: message.slice(0, match.index), fault: match[1] ?? '' };
}

/** The first fault of a name, if any. */
export function findFault(faults: readonly Fault[], name: FaultName): Fault | null {
  return faults.find((fault) => fault.name === name) ?? null;
}
