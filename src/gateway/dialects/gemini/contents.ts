import { isObject, type JsonObject, refuse } from '../../hub/json.ts';
import { openThinking } from '../../hub/sealed-thinking.ts';
import { member, objectMember, unknownMember } from './member.ts';

/** What a part may hold and be translated. */
const KNOWN_PART = new Set(['text', 'thought', 'thoughtSignature', 'inlineData', 'fileData', 'functionCall', 'functionResponse']);

const AUDIO_FORMATS: Readonly<Record<string, string>> = {
  'audio/wav': 'wav',
  'audio/x-wav': 'wav',
  'audio/mp3': 'mp3',
  'audio/mpeg': 'mp3',
  'audio/aac': 'aac',
  'audio/flac': 'flac',
  'audio/ogg': 'ogg',
  'audio/aiff': 'aiff',
};

function text(object: JsonObject, name: string, param: string): string {
  const value = member(object, name);
  return typeof value === 'string' ? value : refuse(`${param}.${name}`, 'a string is needed');
}

function inlinePart(data: JsonObject, param: string): JsonObject {
  const mimeType = text(data, 'mimeType', param).toLowerCase();
  const base64 = text(data, 'data', param);
  if (mimeType.startsWith('image/')) return { type: 'image_url', image_url: { url: `data:${mimeType};base64,${base64}` } };
  if (mimeType === 'application/pdf')
    return { type: 'file', file: { filename: 'document.pdf', file_data: `data:application/pdf;base64,${base64}` } };
  if (mimeType.startsWith('text/')) return { type: 'text', text: Buffer.from(base64, 'base64').toString('utf8') };
  const format = Object.hasOwn(AUDIO_FORMATS, mimeType) ? AUDIO_FORMATS[mimeType] : undefined;
  if (format !== undefined) return { type: 'input_audio', input_audio: { data: base64, format } };
  return refuse(`${param}.mimeType`, `"${mimeType}" can only be sent to a Gemini provider`);
}

function filePart(file: JsonObject, param: string): JsonObject {
  const uri = text(file, 'fileUri', param);
  const mimeType = member(file, 'mimeType');
  const isImage = typeof mimeType === 'string' && mimeType.startsWith('image/');
  // Files that were uploaded to Google can be read there alone.
  if (isImage && /^https?:\/\//i.test(uri) && !/^https:\/\/generativelanguage\.googleapis\.com\//i.test(uri))
    return { type: 'image_url', image_url: { url: uri } };
  return refuse(`${param}.fileUri`, 'files at Google can only be read by a Gemini provider; send the content as inlineData');
}

/** The answer of a function is an object; the text that most functions mean by it is its only member. */
function responseText(response: unknown): string {
  if (!isObject(response)) return typeof response === 'string' ? response : JSON.stringify(response ?? {});
  const [only, ...others] = Object.entries(response);
  if (
    only !== undefined &&
    others.length === 0 &&
    (only[0] === 'output' || only[0] === 'result' || only[0] === 'error') &&
    typeof only[1] === 'string'
  )
    return only[1];
  return JSON.stringify(response);
}

/** The conversation on its way; a class because function answers must find the calls that they answer. */
export class Conversation {
  readonly messages: JsonObject[] = [];
  /** Calls of the last model turn without an answer, in order. */
  #open: { readonly id: string; readonly name: string }[] = [];
  #calls = 0;

  add(content: unknown, param: string): void {
    const { role, parts } = isObject(content) ? content : refuse(param, 'not a content');
    const checked = this.#checkParts(parts ?? [], `${param}.parts`);
    if (role === 'model') this.#addModel(checked, param);
    else if (role === undefined || role === null || role === 'user' || role === 'function') this.#addUser(checked, param);
    else refuse(`${param}.role`, `"${String(role)}" is not one of user, model`);
  }

  #checkParts(parts: unknown, param: string): JsonObject[] {
    if (!Array.isArray(parts)) return refuse(param, 'an array is needed');
    return parts.map((part: unknown, index) => this.#check(part, `${param}[${index}]`));
  }

  #check(part: unknown, param: string): JsonObject {
    if (!isObject(part)) return refuse(param, 'not a part');
    const unknown = unknownMember(part, KNOWN_PART);
    if (unknown !== null) refuse(`${param}.${unknown}`, 'this can only be sent to a Gemini provider');
    return part;
  }

  #addModel(parts: readonly JsonObject[], param: string): void {
    const texts: string[] = [];
    const thoughts: string[] = [];
    const toolCalls: JsonObject[] = [];
    let thinkingBlocks: JsonObject[] = [];
    parts.forEach((part, index) => {
      const at = `${param}.parts[${index}]`;
      const call = member(part, 'functionCall');
      thinkingBlocks = openThinking(member(part, 'thoughtSignature')) ?? thinkingBlocks;
      if (isObject(call)) toolCalls.push(this.#toolCall(call, part, `${at}.functionCall`));
      else if (typeof part.text !== 'string') {
        if (part.text !== undefined || part.thought !== true) refuse(at, 'only text and functionCall parts of the model can be translated');
      } else if (part.thought === true) thoughts.push(part.text);
      else texts.push(part.text);
    });
    this.#open = toolCalls.map((call) => ({ id: String(call.id), name: String(objectMember(call, 'function').name) }));
    if (texts.length === 0 && toolCalls.length === 0) return;
    this.messages.push({
      role: 'assistant',
      content: texts.length === 0 ? null : texts.join(''),
      ...(thoughts.length > 0 ? { reasoning_content: thoughts.join('') } : {}),
      ...(thinkingBlocks.length > 0 ? { thinking_blocks: thinkingBlocks } : {}),
      ...(toolCalls.length > 0 ? { tool_calls: toolCalls } : {}),
    });
  }

  /** Ids are optional here: a call without one gets one of ours, which its answer finds by the function's name. */
  #toolCall(call: JsonObject, part: JsonObject, param: string): JsonObject {
    const name = text(call, 'name', param);
    const args = call.args ?? {};
    if (!isObject(args)) return refuse(`${param}.args`, 'an object is needed');
    const signature = member(part, 'thoughtSignature');
    const isGoogles = typeof signature === 'string' && openThinking(signature) === null;
    return {
      id: typeof call.id === 'string' && call.id !== '' ? call.id : `call_${this.#calls++}`,
      type: 'function',
      function: { name, arguments: JSON.stringify(args) },
      ...(isGoogles ? { extra_content: { google: { thought_signature: signature } } } : {}),
    };
  }

  #addUser(parts: readonly JsonObject[], param: string): void {
    const content: JsonObject[] = [];
    parts.forEach((part, index) => {
      const at = `${param}.parts[${index}]`;
      const response = member(part, 'functionResponse');
      const data = member(part, 'inlineData');
      const file = member(part, 'fileData');
      if (isObject(response)) this.messages.push(this.#toolAnswer(response, `${at}.functionResponse`));
      else if (isObject(data)) content.push(inlinePart(data, `${at}.inlineData`));
      else if (isObject(file)) content.push(filePart(file, `${at}.fileData`));
      else if (typeof part.text === 'string') content.push({ type: 'text', text: part.text });
      else refuse(at, 'a part of the user holds text, inlineData, fileData or functionResponse');
    });
    if (content.length === 0) return;
    const [only] = content;
    this.messages.push({ role: 'user', content: content.length === 1 && only?.type === 'text' ? only.text : content });
  }

  #toolAnswer(answer: JsonObject, param: string): JsonObject {
    const name = text(answer, 'name', param);
    const position = this.#open.findIndex((call) =>
      typeof answer.id === 'string' && answer.id !== '' ? call.id === answer.id : call.name === name,
    );
    const call = this.#open[position];
    if (call === undefined) return refuse(param, `"${name}" answers no call of the model's turn before it`);
    this.#open.splice(position, 1);
    const media = Array.isArray(answer.parts) ? answer.parts : [];
    const parts = media.map((part: unknown, index) =>
      isObject(part)
        ? inlinePart(objectMember(part, 'inlineData'), `${param}.parts[${index}].inlineData`)
        : refuse(`${param}.parts[${index}]`, 'not a part'),
    );
    const body = responseText(answer.response);
    const isError = isObject(answer.response) && typeof answer.response.error === 'string';
    return {
      role: 'tool',
      tool_call_id: call.id,
      content: parts.length === 0 ? body : [{ type: 'text', text: body }, ...parts],
      ...(isError ? { is_error: true } : {}),
    };
  }
}

/** The text of `systemInstruction`: a content, or what SDKs allow for one. @throws PlimsollError `invalid_argument` */
export function systemText(instruction: unknown): string {
  if (instruction === undefined || instruction === null) return '';
  if (typeof instruction === 'string') return instruction;
  if (!isObject(instruction)) return refuse('systemInstruction', 'a content is needed');
  const parts = Array.isArray(instruction.parts) ? instruction.parts : [];
  return parts
    .map((part: unknown, index) =>
      isObject(part) && typeof part.text === 'string' ? part.text : refuse(`systemInstruction.parts[${index}]`, 'only text can stand here'),
    )
    .join('\n\n');
}
