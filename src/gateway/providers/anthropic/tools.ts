import { isObject, type JsonObject, refuse } from '../../hub/json.ts';
import { cacheControl } from './content.ts';
import type { AnthropicTool, ToolChoice } from './wire.ts';

export interface EncodedTools {
  readonly tools?: AnthropicTool[];
  readonly tool_choice?: ToolChoice;
}

function encodeTool(tool: unknown, param: string, canBeStrict: boolean, warnings: Set<string>): AnthropicTool {
  if (!isObject(tool) || tool.type !== 'function' || !isObject(tool.function))
    return refuse(param, 'only tools of type "function" can be sent to an Anthropic model');
  const { name, description, parameters, strict } = tool.function;
  if (typeof name !== 'string' || name === '') return refuse(`${param}.function.name`, 'a name is needed');
  if (parameters !== undefined && parameters !== null && !isObject(parameters))
    return refuse(`${param}.function.parameters`, 'a JSON schema is needed');
  if (strict === true && !canBeStrict) warnings.add('tools[].function.strict is not sent: this model has no strict tool arguments');
  return {
    name,
    ...(typeof description === 'string' && description !== '' ? { description } : {}),
    input_schema: { ...(parameters ?? {}), type: 'object' },
    ...(strict === true && canBeStrict ? { strict: true } : {}),
    ...cacheControl(tool),
  };
}

function encodeChoice(choice: unknown): ToolChoice | null {
  switch (choice) {
    case undefined:
    case null:
      return null;
    case 'auto':
      return { type: 'auto' };
    case 'none':
      return { type: 'none' };
    case 'required':
      return { type: 'any' };
    default:
  }
  if (isObject(choice) && choice.type === 'function' && isObject(choice.function) && typeof choice.function.name === 'string')
    return { type: 'tool', name: choice.function.name };
  return refuse(
    'tool_choice',
    'one of "auto", "none", "required" or { type: "function", function: { name } } is needed for an Anthropic model',
  );
}

/**
 * `tools`, `tool_choice` and `parallel_tool_calls`. A conversation that holds tool calls needs tools at Anthropic: when the request names none,
 * the called ones are declared by name and their use is switched off.
 */
export function encodeTools(body: JsonObject, calledTools: ReadonlySet<string>, canBeStrict: boolean, warnings: Set<string>): EncodedTools {
  for (const old of ['functions', 'function_call'])
    if (body[old] !== undefined && body[old] !== null) refuse(old, 'the old function calls are not translated; use tools and tool_choice');
  const given = body.tools ?? [];
  if (!Array.isArray(given)) return refuse('tools', 'an array is needed');
  const choice = encodeChoice(body.tool_choice);
  if (given.length === 0) {
    if (choice !== null && (choice.type === 'any' || choice.type === 'tool'))
      return refuse('tool_choice', 'there are no tools to choose from');
    if (calledTools.size === 0) return {};
    warnings.add('the tools of earlier calls were declared, switched off: Anthropic needs them when the conversation holds tool calls');
    return { tools: [...calledTools].map((name) => ({ name, input_schema: { type: 'object' } })), tool_choice: { type: 'none' } };
  }
  const tools = given.map((tool, index) => encodeTool(tool, `tools[${index}]`, canBeStrict, warnings));
  if (choice?.type === 'tool' && !tools.some((tool) => tool.name === choice.name))
    return refuse('tool_choice', `there is no tool named "${choice.name}"`);
  if (body.parallel_tool_calls !== false) return { tools, ...(choice ? { tool_choice: choice } : {}) };
  const limited = choice ?? { type: 'auto' as const };
  return { tools, tool_choice: limited.type === 'none' ? limited : { ...limited, disable_parallel_tool_use: true } };
}
