import { isObject, type JsonObject, refuse } from '../../hub/json.ts';

function decodeTool(tool: unknown, param: string): JsonObject {
  if (!isObject(tool)) return refuse(param, 'not a tool');
  const { type, name, description, parameters, strict } = tool;
  if (type !== 'function')
    return refuse(`${param}.type`, `"${String(type)}" runs at OpenAI; only tools of type "function" can be sent to another provider`);
  if (typeof name !== 'string' || name === '') return refuse(`${param}.name`, 'a name is needed');
  if (parameters !== undefined && parameters !== null && !isObject(parameters))
    return refuse(`${param}.parameters`, 'a JSON schema is needed');
  return {
    type: 'function',
    function: {
      name,
      ...(typeof description === 'string' ? { description } : {}),
      ...(isObject(parameters) ? { parameters } : {}),
      ...(typeof strict === 'boolean' ? { strict } : {}),
    },
  };
}

function nameOf(tool: unknown): unknown {
  return isObject(tool) ? tool.name : null;
}

/** `tools`, `tool_choice`, `parallel_tool_calls` in the hub's form. @throws PlimsollError `invalid_argument` for tools that run at OpenAI */
export function decodeTools(body: JsonObject): Record<string, unknown> {
  const { tools = [], tool_choice: choice, parallel_tool_calls: parallel } = body;
  if (tools !== null && !Array.isArray(tools)) return refuse('tools', 'an array is needed');
  let offered = tools ?? [];
  let asked: unknown = choice ?? undefined;
  if (isObject(choice)) {
    switch (choice.type) {
      case 'function':
        if (typeof choice.name !== 'string') refuse('tool_choice.name', 'the name of a tool is needed');
        asked = { type: 'function', function: { name: choice.name } };
        break;
      case 'allowed_tools': {
        if (!Array.isArray(choice.tools)) return refuse('tool_choice.tools', 'an array is needed');
        const allowed = new Set(choice.tools.map(nameOf));
        offered = offered.filter((tool) => allowed.has(nameOf(tool)));
        asked = choice.mode === 'required' ? 'required' : 'auto';
        break;
      }
      default:
        refuse('tool_choice.type', `"${String(choice.type)}" runs at OpenAI; it cannot be sent to another provider`);
    }
  } else if (asked !== undefined && asked !== 'auto' && asked !== 'none' && asked !== 'required')
    refuse('tool_choice', `${JSON.stringify(asked)} is not one of auto, none, required`);
  if (offered.length === 0) return {};
  return {
    tools: offered.map((tool, index) => decodeTool(tool, `tools[${index}]`)),
    ...(asked === undefined ? {} : { tool_choice: asked }),
    ...(typeof parallel === 'boolean' ? { parallel_tool_calls: parallel } : {}),
  };
}
