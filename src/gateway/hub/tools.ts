import { isObject, type JsonObject, refuse } from './json.ts';

export interface HubTool {
  readonly name: string;
  readonly description: string | null;
  /** JSON schema; an empty object schema where the client gave none. */
  readonly parameters: JsonObject;
  readonly isStrict: boolean;
}

export type HubToolChoice = 'auto' | 'none' | 'required' | { readonly name: string };

export interface HubTools {
  readonly tools: readonly HubTool[];
  /** Null = the client said nothing. */
  readonly choice: HubToolChoice | null;
  readonly isParallel: boolean;
}

function readTool(tool: unknown, param: string): HubTool {
  if (!isObject(tool) || tool.type !== 'function' || !isObject(tool.function))
    return refuse(param, 'only tools of type "function" can be sent to this provider');
  const { name, description, parameters, strict } = tool.function;
  if (typeof name !== 'string' || name === '') return refuse(`${param}.function.name`, 'a name is needed');
  if (parameters !== undefined && parameters !== null && !isObject(parameters))
    return refuse(`${param}.function.parameters`, 'a JSON schema is needed');
  return {
    name,
    description: typeof description === 'string' && description !== '' ? description : null,
    parameters: parameters ?? { type: 'object', properties: {} },
    isStrict: strict === true,
  };
}

function readChoice(choice: unknown): HubToolChoice | null {
  if (choice === undefined || choice === null) return null;
  if (choice === 'auto' || choice === 'none' || choice === 'required') return choice;
  if (isObject(choice) && choice.type === 'function' && isObject(choice.function) && typeof choice.function.name === 'string')
    return { name: choice.function.name };
  return refuse('tool_choice', 'one of "auto", "none", "required" or { type: "function", function: { name } } is needed');
}

/** `tools`, `tool_choice`, `parallel_tool_calls`. @throws PlimsollError `invalid_argument` that names the member */
export function readTools(body: JsonObject): HubTools {
  for (const old of ['functions', 'function_call'])
    if (body[old] !== undefined && body[old] !== null) refuse(old, 'the old function calls are not translated; use tools and tool_choice');
  const given = body.tools ?? [];
  if (!Array.isArray(given)) return refuse('tools', 'an array is needed');
  const tools = given.map((tool, index) => readTool(tool, `tools[${index}]`));
  const choice = readChoice(body.tool_choice);
  if (tools.length === 0 && choice !== null && choice !== 'auto' && choice !== 'none')
    refuse('tool_choice', 'there are no tools to choose from');
  if (typeof choice === 'object' && choice !== null && !tools.some(({ name }) => name === choice.name))
    refuse('tool_choice', `there is no tool named "${choice.name}"`);
  return { tools, choice, isParallel: body.parallel_tool_calls !== false };
}
