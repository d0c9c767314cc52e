import { parseJsonText } from '../../kernel/parse-json.ts';
import type { Call } from '../call.ts';

const HEADER = 'x-plimsoll-restart';

/**
 * Whether a stream that breaks may begin anew at another target: the client said so (`x-plimsoll-restart: allow`, or
 * `plimsoll: { restart: true }` in the body) and can be told of it. Only OpenAI's chat format has events that clients know to skip.
 */
export function mayRestart(call: Call): boolean {
  if (call.operation !== 'chat' || call.dialect.name !== 'openai-chat' || call.body?.isStream !== true) return false;
  if (call.request.headers[HEADER] === 'allow') return true;
  const member = call.body.plimsollMember;
  if (member === null) return false;
  const { plimsoll } = parseJsonText(call.body.bytes.toString('utf8')) as { plimsoll?: unknown };
  return typeof plimsoll === 'object' && plimsoll !== null && 'restart' in plimsoll && plimsoll.restart === true;
}

/**
 * Tells the client to forget what it got: everything after this chunk is a whole new answer. A chunk without choices, so that clients that
 * look for text only find none in it.
 */
export function restartMarker(call: Call, model: string): Buffer {
  const previous = call.attempts.at(-1);
  const restart = { model, reason: previous?.errorType ?? null, previousModel: previous?.model ?? null, attempt: call.attempts.length + 1 };
  const chunk = {
    id: previous?.responseId ?? call.callId,
    object: 'chat.completion.chunk',
    created: Math.floor(call.startedAtMs / 1000),
    model: call.body?.model ?? '',
    choices: [],
    plimsoll: { restart },
  };
  return Buffer.from(`data: ${JSON.stringify(chunk)}\n\n`);
}
