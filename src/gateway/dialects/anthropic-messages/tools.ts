import { isObject, type JsonObject, refuse } from '../../hub/json.ts';
import { cacheControl } from './content.ts';

/** Hints about a tool that change how Anthropic loads it, not what it is. */
const HINTS = ['allowed_callers', 'defer_loading', 'eager_input_streaming', 'input_examples'];

function decodeTool(tool: unknown, param: string, warnings: Set<string>): JsonObject {
  if (!isObject(tool)) return refuse(param, 'not a tool');
  const { type, name, description, input_schema: schema, strict } = tool;
  if (type !== undefined && type !== null && type !== 'custom')
    return refuse(`${param}.type`, `"${String(type)}" runs at Anthropic; it can only be sent to an Anthropic provider`);
  if (typeof name !== 'string' || name === '') return refuse(`${param}.name`, 'a name is needed');
  if (!isObject(schema)) return refuse(`${param}.input_schema`, 'a JSON schema is needed');
  for (const hint of HINTS) if (tool[hint] !== undefined && tool[hint] !== null) warnings.add(`tools[].${hint} is not sent`);
  return {
    type: 'function',
    function: {
      name,
      ...(typeof description === 'string' ? { description } : {}),
      parameters: schema,
      ...(typeof strict === 'boolean' ? { strict } : {}),
    },
    ...cacheControl(tool),
  };
}

function decodeChoice(choice: JsonObject): unknown {
  switch (choice.type) {
    case 'auto':
    case 'none':
      return choice.type;
    case 'any':
      return 'required';
    case 'tool':
      return typeof choice.name === 'string'
        ? { type: 'function', function: { name: choice.name } }
        : refuse('tool_choice.name', 'the name of a tool is needed');
    default:
      return refuse('tool_choice.type', `"${String(choice.type)}" is not one of auto, any, tool, none`);
  }
}

/** `tools` and `tool_choice` → `tools`, `tool_choice`, `parallel_tool_calls`. @throws PlimsollError `invalid_argument` for tools that run at Anthropic */
export function decodeTools(body: JsonObject, warnings: Set<string>): Record<string, unknown> {
  const { tools, tool_choice: choice } = body;
  if (tools === undefined || tools === null) return {};
  if (!Array.isArray(tools)) return refuse('tools', 'an array is needed');
  if (tools.length === 0) return {};
  const decoded: Record<string, unknown> = { tools: tools.map((tool, index) => decodeTool(tool, `tools[${index}]`, warnings)) };
  if (choice === undefined || choice === null) return decoded;
  if (!isObject(choice)) return refuse('tool_choice', 'an object is needed');
  decoded.tool_choice = decodeChoice(choice);
  if (choice.disable_parallel_tool_use === true) decoded.parallel_tool_calls = false;
  return decoded;
}
