import type { FeatureCacheSettings } from './settings.ts';

type Loose = Readonly<Record<string, unknown>>;

/** What providers say of an answer that came to its own end. */
const COMPLETE: ReadonlySet<string> = new Set(['stop', 'end_turn', 'stop_sequence', 'eos', 'eos_token']);

export type Refusal = 'empty' | 'tool_calls' | 'truncated' | 'refused' | 'incomplete';

function object(value: unknown): Loose {
  return typeof value === 'object' && value !== null ? (value as Loose) : {};
}

function isEmpty({ content, audio }: Loose): boolean {
  if (typeof content === 'string') return content.trim() === '';
  return !(Array.isArray(content) && content.length > 0) && audio == null;
}

function refusalOf(choice: Loose, { keepsToolCalls, keepsTruncated }: FeatureCacheSettings): Refusal | null {
  const message = object(choice.message);
  const reason = choice.finish_reason;
  const callsTools = (Array.isArray(message.tool_calls) && message.tool_calls.length > 0) || message.function_call != null;
  if (reason === 'content_filter' || (typeof message.refusal === 'string' && message.refusal !== '')) return 'refused';
  if (callsTools || reason === 'tool_calls' || reason === 'function_call') return keepsToolCalls ? null : 'tool_calls';
  if (reason === 'length') return keepsTruncated && !isEmpty(message) ? null : 'truncated';
  if (typeof reason !== 'string' || !COMPLETE.has(reason)) return 'incomplete';
  return isEmpty(message) ? 'empty' : null;
}

/**
 * As `refusalToKeep`, from what was put together while the answer ran, so that it need not be read again.
 * @param messages OpenAI's `choices[].message` as JSON text
 * @returns undefined where only the whole answer can tell: there are several choices, or nothing that was put together
 */
export function refusalByMessage(
  messages: Buffer,
  finishReasons: readonly string[],
  settings: FeatureCacheSettings,
): Refusal | null | undefined {
  if (finishReasons.length !== 1) return undefined;
  const [message, another] = JSON.parse(messages.toString()) as readonly unknown[]; // written by AnswerTexts
  if (message === undefined || another !== undefined) return undefined;
  const refusal = refusalOf({ message, finish_reason: finishReasons[0] }, settings);
  return refusal === 'empty' ? undefined : refusal;
}

/** Why a hub `chat.completion` is not kept; null = it may be. A failure is never kept: it would go on after its cause is gone. */
export function refusalToKeep(completion: Loose, settings: FeatureCacheSettings): Refusal | null {
  const { choices } = completion;
  if (!Array.isArray(choices) || choices.length === 0) return 'empty';
  for (const choice of choices as readonly unknown[]) {
    const refusal = refusalOf(object(choice), settings);
    if (refusal !== null) return refusal;
  }
  return null;
}
