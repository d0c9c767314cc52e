import { PlimsollError } from '../kernel/errors.ts';

/**
 * What can be made to go wrong. Three ways to ask for it in one request, the first one found counts:
 * 1. the header `x-sim-fault: error:500` (through a gateway only when it forwards the header),
 * 2. `metadata: { "sim_fault": "error:500" }` in the body,
 * 3. a last line `[[sim:fault=error:500]]` in the last user message, which passes any gateway and any translation.
 * Without a request's own wish the config decides: `sim.faults` (by models and rate) and `sim.models.*.faults`.
 */
export const FAULT_NAMES = [
  'error',
  'context_length',
  'content_filter',
  'timeout',
  'slow_first_byte',
  'cut_after',
  'stall_after',
  'malformed_json',
  'empty',
  'wrong_content_type',
  'refusal',
  'slow_chunks',
  'no_usage',
  'error_first_event',
  'connection_reset',
] as const;
export type FaultName = (typeof FAULT_NAMES)[number];

export interface Fault {
  readonly name: FaultName;
  /** HTTP status (`error`), milliseconds (`slow_…`), events (`…_after`); null for the rest. */
  readonly value: number | null;
  /** `content_filter=output` stops the answer instead of refusing the request. */
  readonly isOnOutput: boolean;
  /** Seconds for the `retry-after` header of an error. */
  readonly retryAfterSeconds: number | null;
  /** Only calls of this model. */
  readonly model: string | null;
  /** Only the first N requests with this fault and this last user message, over all models: `first=1` lets a fallback succeed. */
  readonly first: number | null;
  /** The text it was read from. */
  readonly text: string;
}

const NEEDS_VALUE: ReadonlySet<FaultName> = new Set(['error', 'slow_first_byte', 'slow_chunks', 'cut_after', 'stall_after']);

function invalid(text: string, why: string): PlimsollError {
  return new PlimsollError('invalid_argument', `Fault "${text}": ${why}. Known: ${FAULT_NAMES.join(', ')}`, { details: { fault: text } });
}

function wholeNumber(text: string, from: string): number {
  if (!/^\d{1,7}$/.test(text)) throw invalid(from, `"${text}" is not a whole number`);
  return Number(text);
}

/**
 * Reads one fault: `name[:value|=value][;retry-after=S][;model=M][;first=N]`, e.g. `error:429;retry-after=2`, `cut_after=3;model=sim-large`.
 * @throws PlimsollError `invalid_argument` when it is not understood
 */
export function parseFault(text: string): Fault {
  const [head = '', ...options] = text.split(';').map((part) => part.trim());
  const match = /^([a-z_]+)(?:[:=](\w+))?$/.exec(head);
  const name = FAULT_NAMES.find((known) => known === match?.[1]);
  if (!match || name === undefined) throw invalid(text, 'not known');
  const argument = match[2];
  const isOnOutput = name === 'content_filter' && argument === 'output';
  if (argument === undefined && NEEDS_VALUE.has(name)) throw invalid(text, `needs a number, as in "${name}=${name === 'error' ? 500 : 3}"`);
  const value = argument === undefined || isOnOutput ? null : wholeNumber(argument, text);
  if (name === 'error' && value !== null && (value < 400 || value > 599)) throw invalid(text, 'the status must be 400 to 599');
  let retryAfterSeconds: number | null = null;
  let model: string | null = null;
  let first: number | null = null;
  for (const option of options) {
    const [key = '', argumentText = ''] = option.split('=');
    if (key === 'retry-after') retryAfterSeconds = wholeNumber(argumentText, text);
    else if (key === 'model') model = argumentText;
    else if (key === 'first') first = wholeNumber(argumentText, text);
    else if (key !== 'id') throw invalid(text, `option "${key}" is not known (retry-after, model, first, id)`); // id: only makes two faults different
  }
  return { name, value, isOnOutput, retryAfterSeconds, model, first, text };
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
