import { parseJsonText } from '../../../kernel/parse-json.ts';
import { isObject, type JsonObject, refuse } from '../../hub/json.ts';
import { type HubMessage, type HubPart, type HubToolCall, textOf } from '../../hub/messages.ts';
import { sentToolId } from './tool-ids.ts';
import type { Content, InlineData, Part } from './wire.ts';

/** Google's documented stand-in for a signature that another provider's history cannot have; Gemini 3 refuses tool calls without any. */
const FOREIGN_SIGNATURE = 'skip_thought_signature_validator';

const AUDIO_TYPES: Readonly<Record<string, string>> = {
  wav: 'audio/wav',
  mp3: 'audio/mp3',
  aac: 'audio/aac',
  flac: 'audio/flac',
  ogg: 'audio/ogg',
  aiff: 'audio/aiff',
};

function inlineData(part: HubPart): InlineData | null {
  switch (part.type) {
    case 'text':
      return null;
    case 'image':
      return { mimeType: part.mediaType === 'image/jpg' ? 'image/jpeg' : part.mediaType, data: part.data };
    case 'file':
      return { mimeType: part.mediaType, data: part.data };
    case 'audio': {
      const mimeType = Object.hasOwn(AUDIO_TYPES, part.format) ? AUDIO_TYPES[part.format] : undefined;
      return mimeType === undefined
        ? refuse(`${part.param}.input_audio.format`, `"${part.format}" is not one of ${Object.keys(AUDIO_TYPES).join(', ')}`)
        : { mimeType, data: part.data };
    }
    case 'image_url':
      return refuse(
        `${part.param}.image_url.url`,
        'Gemini needs the bytes of an image, and this gateway fetches nothing: send a base64 data: URL',
      );
    default:
      return part satisfies never;
  }
}

function toPart(part: HubPart): Part {
  const data = inlineData(part);
  return data === null ? { text: textOf([part]) } : { inlineData: data };
}

/** `extra_content.google.thought_signature`, where Google's own OpenAI endpoint keeps it too. */
function signatureOf({ raw }: HubToolCall): string | null {
  const google = isObject(raw.extra_content) ? raw.extra_content.google : undefined;
  return isObject(google) && typeof google.thought_signature === 'string' ? google.thought_signature : null;
}

function toFunctionCall(call: HubToolCall, isFirst: boolean, needsSignature: boolean): Part {
  // Of parallel calls only the first carries a signature.
  const signature = signatureOf(call) ?? (needsSignature && isFirst ? FOREIGN_SIGNATURE : null);
  return {
    functionCall: { ...sentToolId(call.id), name: call.name, args: call.arguments },
    ...(signature === null ? {} : { thoughtSignature: signature }),
  };
}

/** The answer of a tool must be an object: JSON text of one is taken as it is, everything else becomes its `output` (or `error`). */
function responseObject(text: string, isError: boolean): JsonObject {
  if (!isError && text.startsWith('{')) {
    try {
      const value: unknown = parseJsonText(text);
      if (isObject(value)) return value;
    } catch {
      // Text that only looks like JSON.
    }
  }
  return isError ? { error: text } : { output: text };
}

function toFunctionResponse({ callId, name, parts, isError }: Extract<HubMessage, { role: 'tool' }>): Part {
  const media = parts.map(inlineData).filter((data) => data !== null);
  return {
    functionResponse: {
      ...sentToolId(callId),
      name,
      response: responseObject(textOf(parts), isError),
      ...(media.length > 0 ? { parts: media.map((data) => ({ inlineData: data })) } : {}),
    },
  };
}

export interface EncodedMessages {
  readonly system: readonly string[];
  readonly contents: Content[];
}

/**
 * Hub messages → Gemini's contents: neighbours of one role are merged, tool answers are what the user says next, all system messages become the
 * system instruction.
 * @param needsSignature the model refuses tool calls in the history that carry no thought signature (Gemini 3)
 */
export function encodeMessages(messages: readonly HubMessage[], needsSignature: boolean, warnings: Set<string>): EncodedMessages {
  const system: string[] = [];
  const contents: Content[] = [];
  const append = (role: Content['role'], parts: Part[]): void => {
    if (parts.length === 0) return;
    const last = contents.at(-1);
    if (last?.role === role) last.parts.push(...parts);
    else contents.push({ role, parts });
  };
  for (const message of messages) {
    switch (message.role) {
      case 'system':
        if (contents.length > 0) warnings.add('system messages inside the conversation were moved to the system instruction at its start');
        system.push(...message.parts.map((part) => part.text));
        break;
      case 'user':
        append('user', message.parts.map(toPart));
        break;
      case 'assistant':
        append('model', [
          ...message.parts.map(toPart),
          ...message.toolCalls.map((call, index) => toFunctionCall(call, index === 0, needsSignature)),
        ]);
        break;
      case 'tool':
        append('user', [toFunctionResponse(message)]);
        break;
      default:
        message satisfies never;
    }
  }
  if (contents.length === 0) refuse('messages', 'at least one user message with content is needed');
  return { system, contents };
}
