import { parseJsonText } from '../kernel/parse-json.ts';
import type { AnswerIndex } from './answers.ts';
import type { ChatRequest, ToolSpec } from './chat-request.ts';
import { detectLanguage, PHRASES } from './general-answers.ts';
import { isJsonObject, type ValueSource, valueForSchema } from './schema-values.ts';
import { seededRandom } from './seeded-random.ts';

export interface PlannedToolCall {
  readonly name: string;
  /** JSON text of an object. */
  readonly arguments: string;
}

const GENERIC_WORDS = new Set([
  'get',
  'set',
  'the',
  'for',
  'and',
  'one',
  'with',
  'search',
  'find',
  'list',
  'create',
  'look',
  'read',
  'use',
  'from',
  'our',
  'your',
  'its',
  'this',
  'that',
  'are',
  'what',
  'how',
]);

function wordStems(text: string): Set<string> {
  const found =
    text
      .toLowerCase()
      .replaceAll('_', ' ')
      .match(/\p{L}{3,}/gu) ?? [];
  return new Set(found.filter((word) => !GENERIC_WORDS.has(word)).map((word) => word.replace(/(ies|es|s|ing|ed)$/, '')));
}

function generated(tool: ToolSpec, source: ValueSource): PlannedToolCall {
  const value = valueForSchema(tool.parameters, source, tool.name);
  return { name: tool.name, arguments: JSON.stringify(isJsonObject(value) ? value : {}) };
}

/** The tool whose name and description share most words with the question; null when none shares any. */
function nearestTool(tools: readonly ToolSpec[], question: string): ToolSpec | null {
  const asked = wordStems(question);
  let best: ToolSpec | null = null;
  let bestScore = 0;
  for (const tool of tools) {
    let score = 0;
    for (const word of wordStems(tool.name)) if (asked.has(word)) score += 2;
    for (const word of wordStems(tool.description)) if (asked.has(word)) score++;
    if (score > bestScore) [best, bestScore] = [tool, score];
  }
  return best;
}

/** Steps of an agent since the user spoke last: messages of the assistant (count). */
function stepsSoFar(request: ChatRequest): number {
  const asked = request.turns.findLastIndex((turn) => turn.role === 'user');
  return request.turns.slice(asked + 1).filter((turn) => turn.role === 'assistant').length;
}

/** The call of a model that turns in circles: the same tool with the same arguments at each of the first `steps` steps. */
export function repeatedToolCall(request: ChatRequest, question: string, steps: number, seed: number): readonly PlannedToolCall[] {
  const tool = nearestTool(request.tools, question) ?? request.tools[0];
  if (tool === undefined || stepsSoFar(request) >= steps) return [];
  // The history must not change the arguments, so the fingerprint of the request has no part in them.
  return [generated(tool, { question, answer: question, random: seededRandom(seed, 'tool loop', tool.name, question) })];
}

/** The next step of an agent that the corpus knows; null when it is none, is done, or lacks the tool. */
function agentStep(request: ChatRequest, index: AnswerIndex, question: string): readonly PlannedToolCall[] | null {
  const agent = index.agent(question);
  if (agent === null) return null;
  const at = stepsSoFar(request);
  const step = agent.answer === null ? agent.steps[at % agent.steps.length] : agent.steps[at];
  if (step === undefined) return [];
  const isOffered = request.tools.some((tool) => tool.name === step.name);
  return isOffered ? [{ name: step.name, arguments: JSON.stringify(step.arguments) }] : null;
}

/**
 * Which tools the model calls. An agent of the corpus takes its steps; the corpus decides for questions that it knows; else the nearest tool by words, with arguments
 * that conform to its schema. After a tool result, and with `tool_choice: none`, nothing is called.
 */
export function chooseToolCalls(
  request: ChatRequest,
  index: AnswerIndex,
  question: string,
  source: ValueSource,
): readonly PlannedToolCall[] {
  const { tools, toolChoice } = request;
  if (tools.length === 0 || toolChoice.kind === 'none') return [];
  if (toolChoice.kind === 'named') {
    const named = tools.find((tool) => tool.name === toolChoice.name);
    return named === undefined ? [] : [generated(named, source)];
  }
  const step = agentStep(request, index, question);
  if (step !== null) return step;
  if (request.turns.at(-1)?.role === 'tool') return [];
  const known = (index.find(question)?.tools ?? []).filter((use) => tools.some((tool) => tool.name === use.name));
  if (known.length > 0) {
    const calls = known.map((use) => ({ name: use.name, arguments: JSON.stringify(use.arguments) }));
    return request.allowsParallelTools ? calls : calls.slice(0, 1);
  }
  const nearest = nearestTool(tools, question);
  if (nearest !== null) {
    const call = generated(nearest, source);
    // "Paris and Rome": one call for each place, as real models do.
    const places = /\b(?:in|for|of)\s+(\p{Lu}[\p{L}-]+)\s+and\s+(?:in\s+|for\s+)?(\p{Lu}[\p{L}-]+)/u.exec(question);
    if (!request.allowsParallelTools || places?.[1] === undefined || places[2] === undefined) return [call];
    const first = call.arguments.includes(JSON.stringify(places[1])) ? call : null;
    return first === null
      ? [call]
      : [first, { ...first, arguments: first.arguments.replace(JSON.stringify(places[1]), JSON.stringify(places[2])) }];
  }
  const [firstTool] = tools;
  return toolChoice.kind === 'required' && firstTool !== undefined ? [generated(firstTool, source)] : [];
}

function flatten(value: unknown, path: string, lines: string[]): void {
  if (lines.length >= 8) return;
  if (Array.isArray(value)) value.slice(0, 3).forEach((item) => void flatten(item, path, lines));
  else if (isJsonObject(value)) for (const [key, item] of Object.entries(value)) flatten(item, key.replaceAll('_', ' '), lines);
  else if (value !== null && value !== '') lines.push(path === '' ? String(value) : `- **${path}:** ${String(value)}`);
}

/** An answer that repeats what the tools gave back, for questions that the corpus does not know. */
export function answerFromToolResult(result: string, question: string): string {
  const lines: string[] = [];
  let value: unknown = result;
  try {
    value = parseJsonText(result);
  } catch {
    value = result.slice(0, 600); // plain text is a normal tool result
  }
  flatten(value, '', lines);
  const phrases = PHRASES[detectLanguage(question)];
  return [phrases.toolResult, lines.join('\n') || result.slice(0, 200), phrases.closers[0] ?? ''].join('\n\n').trim();
}
