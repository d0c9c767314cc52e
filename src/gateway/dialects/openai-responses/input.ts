import { isObject, type JsonObject, refuse } from '../../hub/json.ts';
import { openThinking } from '../../hub/sealed-thinking.ts';

function text(part: JsonObject, name: string, param: string): string {
  const value = part[name];
  return typeof value === 'string' ? value : refuse(`${param}.${name}`, 'a string is needed');
}

function refuseFileId(part: JsonObject, param: string): void {
  if (part.file_id !== undefined && part.file_id !== null)
    refuse(`${param}.file_id`, 'file ids belong to OpenAI; send the content itself to a provider of another API');
}

function imagePart(part: JsonObject, param: string): JsonObject {
  refuseFileId(part, param);
  const detail = typeof part.detail === 'string' ? { detail: part.detail } : {};
  return { type: 'image_url', image_url: { url: text(part, 'image_url', param), ...detail } };
}

function filePart(part: JsonObject, param: string): JsonObject {
  refuseFileId(part, param);
  if (typeof part.file_url === 'string') refuse(`${param}.file_url`, 'only OpenAI fetches files; send file_data');
  return { type: 'file', file: { filename: text(part, 'filename', param), file_data: text(part, 'file_data', param) } };
}

function contentPart(part: unknown, param: string): JsonObject {
  if (!isObject(part)) return refuse(param, 'not a content part');
  switch (part.type) {
    case 'input_text':
    case 'output_text':
    case 'text':
    case 'summary_text':
      return { type: 'text', text: text(part, 'text', param) };
    case 'refusal':
      return { type: 'refusal', refusal: text(part, 'refusal', param) };
    case 'input_image':
      return imagePart(part, param);
    case 'input_file':
      return filePart(part, param);
    case 'input_audio':
      return isObject(part.input_audio)
        ? { type: 'input_audio', input_audio: part.input_audio }
        : refuse(`${param}.input_audio`, 'an object is needed');
    default:
      return refuse(`${param}.type`, `a "${String(part.type)}" part can only be sent to OpenAI`);
  }
}

/** One plain text is a string in the hub: the form that every server takes. */
function content(value: unknown, param: string): string | JsonObject[] {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value)) return refuse(param, 'a string or an array of content parts is needed');
  const parts = value.map((part: unknown, index) => contentPart(part, `${param}[${index}]`));
  const [only] = parts;
  return parts.length === 1 && only?.type === 'text' ? String(only.text) : parts;
}

function texts(list: unknown): string {
  if (!Array.isArray(list)) return '';
  return list.map((part) => (isObject(part) && typeof part.text === 'string' ? part.text : '')).join('');
}

/** The items of one `input`; a class because reasoning and calls belong to the assistant message around them. */
class InputItems {
  readonly messages: Record<string, unknown>[] = [];
  readonly #warnings: Set<string>;
  /** The assistant message that items still add to. */
  #assistant: Record<string, unknown> | null = null;

  constructor(warnings: Set<string>) {
    this.#warnings = warnings;
  }

  add(item: unknown, param: string): void {
    if (!isObject(item)) refuse(param, 'not an input item');
    else this.#addItem(item, param);
  }

  #addItem(item: JsonObject, param: string): void {
    switch (item.type ?? 'message') {
      case 'message':
        this.#addMessage(item, param);
        break;
      case 'reasoning':
        this.#addReasoning(item);
        break;
      case 'function_call':
        this.#addCall(item, param);
        break;
      case 'function_call_output':
        this.#assistant = null;
        this.messages.push({ role: 'tool', tool_call_id: text(item, 'call_id', param), content: content(item.output, `${param}.output`) });
        break;
      case 'item_reference':
        refuse(`${param}.type`, 'an item_reference points to state that only OpenAI keeps; send the item itself');
        break;
      default:
        refuse(`${param}.type`, `a "${String(item.type)}" item can only be sent to OpenAI`);
    }
  }

  #addMessage(item: JsonObject, param: string): void {
    const { role } = item;
    if (role === 'assistant') {
      const body = content(item.content, `${param}.content`);
      // Reasoning that came before belongs to this message; a second text begins another one.
      const message =
        this.#assistant?.content === null && this.#assistant.tool_calls === undefined ? this.#assistant : this.#openAssistant();
      message.content = body;
      return;
    }
    if (role !== 'user' && role !== 'system' && role !== 'developer')
      refuse(`${param}.role`, `"${String(role)}" is not one of user, assistant, system, developer`);
    this.#assistant = null;
    this.messages.push({ role, content: content(item.content, `${param}.content`) });
  }

  #addReasoning(item: JsonObject): void {
    const message = this.#openAssistant();
    const thinking = openThinking(item.encrypted_content);
    if (thinking !== null) message.thinking_blocks = thinking;
    else if (typeof item.encrypted_content === 'string')
      this.#warnings.add('encrypted reasoning is not sent: only the provider that made it can read it');
    const said = texts(item.content) || texts(item.summary);
    if (said !== '') message.reasoning_content = said;
  }

  #addCall(item: JsonObject, param: string): void {
    if (item.namespace !== undefined && item.namespace !== null) refuse(`${param}.namespace`, 'namespaces of tools exist at OpenAI only');
    const call = {
      id: text(item, 'call_id', param),
      type: 'function',
      function: { name: text(item, 'name', param), arguments: text(item, 'arguments', param) },
    };
    const message = this.#assistant ?? this.#openAssistant();
    message.tool_calls = [...((message.tool_calls as unknown[] | undefined) ?? []), call]; // made here and nowhere else
  }

  #openAssistant(): Record<string, unknown> {
    this.#assistant = { role: 'assistant', content: null };
    this.messages.push(this.#assistant);
    return this.#assistant;
  }
}

/** `instructions` and `input` → messages of the hub. @throws PlimsollError `invalid_argument` for items that only OpenAI knows */
export function decodeInput(body: JsonObject, warnings: Set<string>): JsonObject[] {
  const { instructions, input } = body;
  const items = new InputItems(warnings);
  if (typeof instructions === 'string') items.add({ role: 'system', content: instructions }, 'instructions');
  else if (instructions !== undefined && instructions !== null) refuse('instructions', 'a string is needed');
  if (typeof input === 'string') items.add({ role: 'user', content: input }, 'input');
  else if (Array.isArray(input)) for (const [index, item] of input.entries()) items.add(item, `input[${index}]`);
  else refuse('input', 'a string or an array of items is needed');
  // Reasoning without an answer after it says nothing to another provider.
  return items.messages.filter(
    ({ role, content: said, tool_calls: calls }) => role !== 'assistant' || said !== null || calls !== undefined,
  );
}
