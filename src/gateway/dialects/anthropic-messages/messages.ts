import { isObject, type JsonObject, refuse } from '../../hub/json.ts';
import { asContent, blockParts, cacheControl, contentParts } from './content.ts';

function blocksOf(content: unknown, param: string): JsonObject[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  if (!Array.isArray(content)) return refuse(param, 'a string or an array of content blocks is needed');
  return content.map((block: unknown, index) => (isObject(block) ? block : refuse(`${param}[${index}]`, 'not a content block')));
}

function toolCall(block: JsonObject, param: string): JsonObject {
  const { id, name, input } = block;
  if (typeof id !== 'string' || id === '') return refuse(`${param}.id`, 'a tool call needs an id');
  if (typeof name !== 'string' || name === '') return refuse(`${param}.name`, 'a name is needed');
  if (!isObject(input)) return refuse(`${param}.input`, 'an object is needed');
  return { id, type: 'function', function: { name, arguments: JSON.stringify(input) }, ...cacheControl(block) };
}

/** A tool's answer. Images and errors have no place in OpenAI's tool message; they stay on the hub's, for providers that have one. */
function toolMessage(block: JsonObject, param: string, warnings: Set<string>): JsonObject {
  const { tool_use_id: id, is_error: isError } = block;
  if (typeof id !== 'string' || id === '') return refuse(`${param}.tool_use_id`, 'the id of a tool call is needed');
  const parts = contentParts(block.content, `${param}.content`, warnings);
  return {
    role: 'tool',
    tool_call_id: id,
    content: parts.length === 0 ? '' : asContent(parts),
    ...(isError === true ? { is_error: true } : {}),
    ...cacheControl(block),
  };
}

function userMessages(content: unknown, param: string, warnings: Set<string>): JsonObject[] {
  if (typeof content === 'string') return [{ role: 'user', content }];
  const answers: JsonObject[] = [];
  const parts: JsonObject[] = [];
  blocksOf(content, param).forEach((block, index) => {
    const at = `${param}[${index}]`;
    // Answers come first, as OpenAI's order wants them and Anthropic's own does.
    if (block.type === 'tool_result') answers.push(toolMessage(block, at, warnings));
    else parts.push(...blockParts(block, at, warnings));
  });
  return parts.length === 0 ? answers : [...answers, { role: 'user', content: asContent(parts) }];
}

function assistantMessage(content: unknown, param: string, warnings: Set<string>): JsonObject {
  const parts: JsonObject[] = [];
  const calls: JsonObject[] = [];
  const thinkingBlocks: JsonObject[] = [];
  const thoughts: string[] = [];
  blocksOf(content, param).forEach((block, index) => {
    const at = `${param}[${index}]`;
    if (block.type === 'tool_use') calls.push(toolCall(block, at));
    else if (block.type === 'redacted_thinking') thinkingBlocks.push({ type: 'redacted_thinking', data: block.data });
    else if (block.type === 'thinking') {
      if (typeof block.thinking !== 'string') refuse(`${at}.thinking`, 'a string is needed');
      thoughts.push(block.thinking);
      // Thinking of models that sign nothing has an empty signature, which Anthropic would refuse.
      if (typeof block.signature === 'string' && block.signature !== '')
        thinkingBlocks.push({ type: 'thinking', thinking: block.thinking, signature: block.signature });
    } else parts.push(...blockParts(block, at, warnings));
  });
  return {
    role: 'assistant',
    content: parts.length === 0 ? null : asContent(parts),
    ...(thoughts.some((thought) => thought !== '') ? { reasoning_content: thoughts.join('') } : {}),
    ...(thinkingBlocks.length > 0 ? { thinking_blocks: thinkingBlocks } : {}),
    ...(calls.length > 0 ? { tool_calls: calls } : {}),
  };
}

/** `system` and `messages` → messages of the hub. @throws PlimsollError `invalid_argument` */
export function decodeMessages(body: JsonObject, warnings: Set<string>): JsonObject[] {
  const { system, messages } = body;
  if (!Array.isArray(messages)) return refuse('messages', 'an array is needed');
  const decoded: JsonObject[] = [];
  const systemParts = contentParts(system, 'system', warnings);
  if (systemParts.length > 0) decoded.push({ role: 'system', content: asContent(systemParts) });
  messages.forEach((message: unknown, index) => {
    const at = `messages[${index}]`;
    if (!isObject(message)) refuse(at, 'not a message');
    else if (message.role === 'user') decoded.push(...userMessages(message.content, `${at}.content`, warnings));
    else if (message.role === 'assistant') decoded.push(assistantMessage(message.content, `${at}.content`, warnings));
    else if (message.role === 'system')
      decoded.push({ role: 'system', content: asContent(contentParts(message.content, `${at}.content`, warnings)) });
    else refuse(`${at}.role`, `"${String(message.role)}" is not one of user, assistant, system`);
  });
  return decoded;
}
