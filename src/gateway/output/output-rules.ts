import { parseJsonText } from '../../kernel/parse-json.ts';
import type { OutputValidation } from '../../traces/call-record.ts';
import type { Call } from '../call.ts';
import type { OutputSchema, OutputSchemas } from './output-schema.ts';
import { FEATURE_SCHEMA_LIMITS, REQUEST_SCHEMA_LIMITS, SchemaRefused } from './schema-guard.ts';
import { TooExpensive } from './work-budget.ts';

/** Longest text that is parsed and checked. */
const MAX_CHECKED_CHARACTERS = 1024 * 1024;
const MAX_ERRORS = 5;

type Loose = Readonly<Record<string, unknown>>;

function loose(value: unknown): Loose | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Loose) : null; // read field by field below
}

/** What the answer to one call is held against. */
interface OutputRules {
  /** Schemas of the answer's text; all of them must hold. `anyJson` = any JSON object. */
  readonly text: readonly (OutputSchema | 'anyJson')[];
  /** Parameters of the tools by name; null = arguments are not checked. */
  readonly tools: ReadonlyMap<string, OutputSchema | null> | null;
  /** Schemas that could not be compiled. */
  readonly refusals: readonly string[];
}

/** Whether the feature asks for any check. The contract is one of chat; calls of the gateway's own (a classifier, a shadow) answer to nobody's. */
export function wantsOutputCheck(call: Call): boolean {
  return call.caller?.feature.output !== undefined && call.purpose === null && call.operation === 'chat';
}

/** The end of a stream must wait for the verdict: a client that has the finish takes the answer for good. */
export function holdsStreamEnd(call: Call): boolean {
  const output = call.caller?.feature.output;
  return output !== undefined && output.onInvalid !== 'flag' && call.purpose === null && call.operation === 'chat';
}

/** The rules of a call, from the feature's contract and the request. Schemas that are refused check nothing, and that is said. */
function rulesOf(call: Call, schemas: OutputSchemas): OutputRules {
  const output = call.caller?.feature.output;
  const text: (OutputSchema | 'anyJson')[] = [];
  const refusals: string[] = [];
  const compile = (schema: unknown, limits: typeof FEATURE_SCHEMA_LIMITS, whose: string): OutputSchema | null => {
    try {
      return schemas.get(schema, limits);
    } catch (thrown) {
      if (!(thrown instanceof SchemaRefused)) throw thrown;
      refusals.push(`${whose} is not checked: ${thrown.message}`);
      return null;
    }
  };
  if (output?.schema != null) {
    const own = compile(output.schema, FEATURE_SCHEMA_LIMITS, "the feature's schema");
    if (own !== null) text.push(own);
  }
  const request = output?.validate || output?.validateToolArguments ? call.hubRequest() : {};
  const format = output?.validate ? loose(request.response_format) : null;
  if (format?.type === 'json_object') text.push('anyJson');
  else if (format?.type === 'json_schema') {
    const wanted = compile(loose(format.json_schema)?.schema ?? {}, REQUEST_SCHEMA_LIMITS, 'the schema of response_format');
    if (wanted !== null) text.push(wanted);
  }
  if (output?.validateToolArguments !== true || !Array.isArray(request.tools)) return { text, tools: null, refusals };
  const tools = new Map<string, OutputSchema | null>();
  for (const tool of request.tools) {
    const { name, parameters } = loose(loose(tool)?.function) ?? {};
    if (typeof name !== 'string') continue;
    tools.set(name, parameters == null ? null : compile(parameters, REQUEST_SCHEMA_LIMITS, `the parameters of "${name.slice(0, 100)}"`));
  }
  return { text, tools, refusals };
}

/** Parses what claims to be JSON. @returns undefined when it is none */
function parse(text: string): unknown {
  try {
    return parseJsonText(text) as unknown;
  } catch {
    return undefined;
  }
}

function checkText(text: string, rules: OutputRules['text']): string | null {
  if (text.length > MAX_CHECKED_CHARACTERS) throw new TooExpensive();
  const value = parse(text);
  if (value === undefined) return 'the answer is not JSON';
  for (const rule of rules) {
    if (rule === 'anyJson') {
      if (loose(value) === null) return 'the answer is not a JSON object';
      continue;
    }
    const error = rule.check(value);
    if (error !== null) return error;
  }
  return null;
}

function checkToolCall(toolCall: unknown, tools: NonNullable<OutputRules['tools']>): string | null {
  const called = loose(loose(toolCall)?.function);
  if (called === null || typeof called.name !== 'string') return null;
  const name = called.name.slice(0, 100);
  if (!tools.has(called.name)) return `tool call: there is no tool "${name}"`;
  const text = typeof called.arguments === 'string' ? called.arguments : '';
  if (text.length > MAX_CHECKED_CHARACTERS) throw new TooExpensive();
  // A tool without parameters is called with no text at all by some models.
  const value = text === '' ? {} : parse(text);
  if (loose(value) === null) return `tool call "${name}": the arguments are not a JSON object`;
  const error = tools.get(called.name)?.check(value) ?? null;
  return error === null ? null : `tool call "${name}": ${error}`;
}

/** Errors of one message; null = there was nothing to check in it. @throws TooExpensive */
function checkMessage(message: Loose, rules: OutputRules): string[] | null {
  const errors: string[] = [];
  let isChecked = false;
  const calls = Array.isArray(message.tool_calls) ? message.tool_calls : [];
  if (rules.tools !== null) {
    for (const toolCall of calls) {
      isChecked = true;
      const error = checkToolCall(toolCall, rules.tools);
      if (error !== null) errors.push(error);
    }
  }
  // A turn that calls tools is not the answer yet, and a refusal is none.
  if (rules.text.length > 0 && calls.length === 0 && typeof message.refusal !== 'string') {
    isChecked = true;
    const error = checkText(typeof message.content === 'string' ? message.content : '', rules.text);
    if (error !== null) errors.push(error);
  }
  return isChecked ? errors : null;
}

export interface OutputJudgement extends Pick<OutputValidation, 'verdict' | 'errors'> {
  /** The answer's messages, for who wants to have it corrected. */
  readonly messages: readonly Loose[];
}

/** Holds the answer of a call against its rules; null = there was nothing to check. Never throws for what a stranger sent. */
export function judgeOutput(call: Call, schemas: OutputSchemas): OutputJudgement | null {
  const { texts } = call;
  if (texts === null) return null;
  const rules = rulesOf(call, schemas);
  const { refusals } = rules;
  if (rules.text.length === 0 && rules.tools === null)
    return refusals.length === 0 ? null : { verdict: 'unmeasured', errors: refusals, messages: [] };
  if (texts.isTruncated) return { verdict: 'unmeasured', errors: ['the answer is longer than what is kept of it'], messages: [] };
  const parsed = parse(texts.messagesJson().toString('utf8'));
  const messages = (Array.isArray(parsed) ? parsed : []).map(loose).filter((message) => message !== null);
  try {
    const checked = messages.map((message) => checkMessage(message, rules)).filter((errors) => errors !== null);
    const errors = checked.flat().slice(0, MAX_ERRORS);
    if (errors.length > 0) return { verdict: 'invalid', errors, messages };
    // What was refused could have found something.
    if (refusals.length > 0) return { verdict: 'unmeasured', errors: refusals.slice(0, MAX_ERRORS), messages };
    return checked.length === 0 ? null : { verdict: 'valid', errors: [], messages };
  } catch (thrown) {
    if (!(thrown instanceof TooExpensive)) throw thrown;
    return { verdict: 'unmeasured', errors: [thrown.message], messages };
  }
}
