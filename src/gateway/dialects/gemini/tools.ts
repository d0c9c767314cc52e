import { isObject, type JsonObject, refuse } from '../../hub/json.ts';
import { member, objectMember, unknownMember } from './member.ts';
import { toJsonSchema } from './schema.ts';

const KNOWN_TOOL = new Set(['functionDeclarations']);

function declaration(value: unknown, param: string, warnings: Set<string>): JsonObject {
  if (!isObject(value)) return refuse(param, 'not a function declaration');
  const { name, description } = value;
  if (typeof name !== 'string' || name === '') return refuse(`${param}.name`, 'a name is needed');
  const schema = member(value, 'parametersJsonSchema');
  const parameters = member(value, 'parameters');
  if (member(value, 'response') !== undefined || member(value, 'responseJsonSchema') !== undefined)
    warnings.add('the response schema of functions is not sent: the provider that answers has no counterpart');
  const given = schema ?? (parameters === undefined ? undefined : toJsonSchema(parameters, `${param}.parameters`));
  return {
    type: 'function',
    function: { name, ...(typeof description === 'string' ? { description } : {}), ...(given === undefined ? {} : { parameters: given }) },
  };
}

function declarations(tools: unknown, warnings: Set<string>): JsonObject[] {
  if (tools === undefined) return [];
  if (!Array.isArray(tools)) return refuse('tools', 'an array is needed');
  return tools.flatMap((tool: unknown, index) => {
    const param = `tools[${index}]`;
    if (!isObject(tool)) return refuse(param, 'not a tool');
    const unknown = unknownMember(tool, KNOWN_TOOL);
    if (unknown !== null) refuse(`${param}.${unknown}`, 'this tool runs at Google; it can only be sent to a Gemini provider');
    const list = member(tool, 'functionDeclarations') ?? [];
    if (!Array.isArray(list)) return refuse(`${param}.functionDeclarations`, 'an array is needed');
    return list.map((entry: unknown, at) => declaration(entry, `${param}.functionDeclarations[${at}]`, warnings));
  });
}

/** `tools` and `toolConfig` → `tools` and `tool_choice`. @throws PlimsollError `invalid_argument` for tools that run at Google */
export function decodeTools(body: JsonObject, warnings: Set<string>): Record<string, unknown> {
  const tools = declarations(member(body, 'tools'), warnings);
  if (tools.length === 0) return {};
  const config = objectMember(objectMember(body, 'toolConfig'), 'functionCallingConfig');
  const mode = config.mode ?? 'AUTO';
  const allowed = member(config, 'allowedFunctionNames');
  switch (mode) {
    case 'MODE_UNSPECIFIED':
    case 'AUTO':
    case 'VALIDATED':
      return { tools };
    case 'NONE':
      return { tools, tool_choice: 'none' };
    case 'ANY': {
      if (!Array.isArray(allowed) || allowed.length === 0) return { tools, tool_choice: 'required' };
      if (allowed.length === 1) return { tools, tool_choice: { type: 'function', function: { name: allowed[0] as unknown } } };
      return { tools: tools.filter((tool) => allowed.includes(objectMember(tool, 'function').name)), tool_choice: 'required' };
    }
    default:
      return refuse('toolConfig.functionCallingConfig.mode', `${JSON.stringify(mode)} is not one of AUTO, ANY, NONE, VALIDATED`);
  }
}
