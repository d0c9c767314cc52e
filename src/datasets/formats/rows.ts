import { parseJsonText } from '../../kernel/parse-json.ts';
import { isObject, type JsonValue } from '../json-value.ts';
import { type EvalCase, questionOf } from '../model.ts';
import { asText } from './promptfoo.ts';

type Row = { readonly [name: string]: JsonValue };

/** `['a', "b"]` as pandas writes a column of lists, and JSON; any other text is one item. */
function texts(value: JsonValue | undefined): string[] | null {
  if (value === undefined || value === null || value === '') return null;
  if (Array.isArray(value)) return value.map((item: JsonValue) => asText(item));
  if (typeof value !== 'string') return [JSON.stringify(value)];
  if (!value.trim().startsWith('[')) return [value];
  try {
    const parsed = parseJsonText(value) as JsonValue; // JSON
    return Array.isArray(parsed) ? parsed.map((item: JsonValue) => asText(item)) : [value];
  } catch {
    return pythonList(value.trim()) ?? [value];
  }
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' };

function pythonList(text: string): string[] | null {
  const item = /\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\s*(,|\]$)/suy;
  const items: string[] = [];
  item.lastIndex = 1;
  for (;;) {
    const match = item.exec(text);
    if (match === null) return null;
    items.push((match[1] ?? match[2] ?? '').replaceAll(/\\(.)/gsu, (_whole, letter: string) => ESCAPES[letter] ?? letter));
    if (match[3] !== ',') return item.lastIndex === text.length ? items : null;
  }
}

function listed(value: JsonValue | undefined): JsonValue[] {
  if (Array.isArray(value)) return [...(value as readonly JsonValue[])];
  if (typeof value !== 'string' || !value.trim().startsWith('[')) return [];
  try {
    const parsed = parseJsonText(value) as JsonValue; // JSON
    return Array.isArray(parsed) ? [...(parsed as readonly JsonValue[])] : [];
  } catch {
    return [];
  }
}

function passages(value: JsonValue | undefined, ids: JsonValue | undefined): JsonValue {
  const found = texts(value);
  const named = texts(ids);
  if (found === null) return named === null ? null : named.map((id) => ({ id, text: '' }));
  return found.map((text, index) => ({ text, ...(named?.[index] === undefined ? {} : { id: named[index] }) }));
}

function toolCalls(value: JsonValue | undefined): JsonValue[] {
  return listed(value).flatMap((call) =>
    isObject(call) && typeof call.name === 'string'
      ? [{ name: call.name, arguments: call.input_parameters ?? call.args ?? call.arguments ?? {} }]
      : [],
  );
}

const text = (value: JsonValue | undefined): string | null =>
  value === undefined || value === null || value === '' ? null : asText(value);
const optional = (name: string, value: JsonValue): Row =>
  value === null || (Array.isArray(value) && value.length === 0) ? {} : { [name]: value };

const ROLES: Readonly<Record<string, string>> = { human: 'user', ai: 'assistant', tool: 'tool', system: 'system' };
const RAGAS = new Set(
  'question user_input answer response contexts retrieved_contexts ground_truth ground_truths reference reference_contexts retrieved_context_ids reference_context_ids reference_tool_calls rubrics id'.split(
    ' ',
  ),
);

/** Both generations of Ragas' columns: question, answer, contexts, ground_truth; user_input, response, retrieved_contexts, reference. */
export function fromRagasRow(row: Row): JsonValue {
  const question = row.user_input ?? row.question ?? '';
  const messages = listed(question).filter(isObject);
  const input =
    messages.length > 0
      ? {
          messages: messages.map(({ type, role, content = null }) => ({
            role: ROLES[asText(type ?? role ?? 'user')] ?? asText(role ?? 'user'),
            content,
          })),
        }
      : { variables: { question: asText(question) } };
  const answer = text(row.response ?? row.answer);
  const calls = toolCalls(row.reference_tool_calls);
  const truth = row.reference ?? row.ground_truth ?? texts(row.ground_truths)?.join('\n');
  const others = Object.entries(row).filter(([name, value]) => (!RAGAS.has(name) || name === 'rubrics') && value !== null && value !== '');
  return {
    ...optional('id', text(row.id)),
    input,
    expected: { ...optional('answer', text(truth)), ...optional('toolCalls', calls) },
    contexts: passages(row.retrieved_contexts ?? row.contexts, row.retrieved_context_ids),
    referenceContexts: passages(row.reference_contexts, row.reference_context_ids),
    ...(answer === null ? {} : { recorded: { output: answer } }),
    ...(others.length === 0 ? {} : { metadata: Object.fromEntries(others) }),
    provenance: { kind: 'import', source: 'ragas' },
  };
}

export function toRagasRow(evalCase: EvalCase): JsonValue {
  const { expected, contexts, referenceContexts, recorded, input } = evalCase;
  const isConversation = input.messages.length > 1;
  const type: Readonly<Record<string, string>> = { user: 'human', assistant: 'ai' };
  return {
    user_input: isConversation
      ? input.messages.map(({ role, content }) => ({ type: type[role] ?? role, content: asText(content) }))
      : questionOf(evalCase),
    ...optional('response', recorded?.output ?? null),
    ...(contexts === null ? {} : { retrieved_contexts: contexts.map((context) => context.text) }),
    ...optional('reference', expected.answer),
    ...(referenceContexts === null ? {} : { reference_contexts: referenceContexts.map((context) => context.text) }),
    ...(contexts?.every(({ id }) => id !== null) === true ? { retrieved_context_ids: contexts.map(({ id }) => id) } : {}),
    ...(referenceContexts?.every(({ id }) => id !== null) === true ? { reference_context_ids: referenceContexts.map(({ id }) => id) } : {}),
    ...(expected.toolCalls === null
      ? {}
      : { reference_tool_calls: expected.toolCalls.map((call) => ({ name: call.name, args: call.arguments })) }),
  };
}

const DEEPEVAL = new Set(
  'input actual_output expected_output context retrieval_context tools_called expected_tools turns scenario expected_outcome name tags comments'.split(
    ' ',
  ),
);

/** DeepEval's test cases and goldens, single-turn and conversational. */
export function fromDeepEvalRow(row: Row): JsonValue {
  const turns = listed(row.turns).filter(isObject);
  const output = text(row.actual_output);
  const expectedTools = toolCalls(row.expected_tools);
  const others = Object.entries(row).filter(([name, value]) => !DEEPEVAL.has(name) && value !== null && value !== '');
  const extra = row.additional_metadata;
  const metadata = [
    ...others.filter(([name]) => name !== 'additional_metadata' || !isObject(extra)),
    ...(isObject(extra) ? Object.entries(extra) : []),
  ];
  return {
    ...optional('id', text(row.name)),
    ...optional('description', text(row.comments) ?? text(row.scenario)),
    input:
      turns.length > 0
        ? { messages: turns.map(({ role = 'user', content = '' }) => ({ role: asText(role), content })) }
        : { variables: { input: asText(row.input ?? '') } },
    expected: { ...optional('answer', text(row.expected_output) ?? text(row.expected_outcome)), ...optional('toolCalls', expectedTools) },
    contexts: passages(row.retrieval_context, undefined),
    referenceContexts: passages(row.context, undefined),
    ...(output === null ? {} : { recorded: { output, ...optional('toolCalls', toolCalls(row.tools_called)) } }),
    ...optional('tags', texts(row.tags) ?? []),
    ...(metadata.length === 0 ? {} : { metadata: Object.fromEntries(metadata) }),
    provenance: { kind: 'import', source: 'deepeval' },
  };
}

export function toDeepEvalRow(evalCase: EvalCase): JsonValue {
  const { id, description, expected, contexts, referenceContexts, recorded, tags, metadata, input } = evalCase;
  const calls = (list: readonly { name: string; arguments: JsonValue }[]) =>
    list.map((call) => ({ name: call.name, input_parameters: call.arguments }));
  const isConversation = input.messages.length > 1;
  return {
    ...(isConversation
      ? { turns: input.messages.map(({ role, content }) => ({ role, content: asText(content) })) }
      : { input: questionOf(evalCase) }),
    ...optional('actual_output', recorded?.output ?? null),
    ...optional(isConversation ? 'expected_outcome' : 'expected_output', expected.answer),
    ...(referenceContexts === null ? {} : { context: referenceContexts.map((context) => context.text) }),
    ...(contexts === null ? {} : { retrieval_context: contexts.map((context) => context.text) }),
    ...optional('tools_called', calls(recorded?.toolCalls ?? [])),
    ...(expected.toolCalls === null ? {} : { expected_tools: calls(expected.toolCalls) }),
    ...optional('name', id),
    ...optional('comments', description),
    ...optional('tags', tags),
    ...(Object.keys(metadata).length === 0 ? {} : { additional_metadata: metadata }),
  };
}
