import { setTimeout as sleep } from 'node:timers/promises';
import type { Span, TraceDetail } from '../../../src/traces/model.ts';

/**
 * One agent, told by every SDK in its own way: a call of a model that asks for a tool, the tool, a streamed answer, and a call that the provider
 * refuses. Of the 100 input tokens 40 came from the cache; of the 20 output tokens 5 are reasoning.
 */
export const MODEL = 'gpt-4o';
export const USER = 'u-1';
export const SYSTEM = { role: 'system', content: 'Be brief.' } as const;
export const ASKED = { role: 'user', content: 'Where is order 7?' } as const;
export const TOOL = { name: 'find_order', callId: 'c1', arguments: '{"id":7}', result: 'sent' } as const;
export const ANSWER = 'It was sent.';
export const USAGE = { input: 100, cacheRead: 40, output: 20, reasoning: 5 } as const;
export const REFUSAL = 'RateLimitError';

export const TOOL_CALLS = [{ id: TOOL.callId, type: 'function', function: { name: TOOL.name, arguments: TOOL.arguments } }] as const;
const CALLED = { role: 'assistant', content: null, tool_calls: TOOL_CALLS };
const GIVEN = { role: 'tool', content: TOOL.result, tool_call_id: TOOL.callId };

/** Steps of the script start one after the other, also for SDKs whose clock is no finer than a millisecond. */
export const pause = (): Promise<void> => sleep(4);

/** What is compared, field by field. */
interface CanonicalSpan {
  kind: string;
  status: string;
  errorType: string | null;
  provider: string | null;
  model: string | null;
  /** The classes that are not zero; null = not known. */
  tokens: string | null;
  costPicoUsd: string | null;
  costStatus: string | null;
  finishReasons: readonly string[];
  hasFirstToken: boolean;
  input: unknown;
  output: unknown;
}

/** What an SDK does not send, and what it sends in another form: everything else must be the same for all. */
export interface Differences {
  /** The SDK has no word for it: reasoning is output like the rest. */
  readonly noReasoning?: boolean;
  readonly noFirstToken?: boolean;
  readonly noFinishReasons?: boolean;
  /** The provider's refusal is a text for people only: an error of no class, of which nobody knows that it was free. */
  readonly noErrorType?: boolean;
  /** Results of tools name their tool, besides the call that they answer. */
  readonly hasToolNames?: boolean;
}

const NO_MODEL = {
  provider: null,
  model: null,
  tokens: null,
  costPicoUsd: null,
  costStatus: null,
  finishReasons: [],
  hasFirstToken: false,
};

/** 60 × 2.5 $ + 40 × 1.25 $ + 20 × 10 $ per million tokens. */
const COST = '400000000';

export function expectedSpans({ noReasoning, noFirstToken, noFinishReasons, noErrorType, hasToolNames }: Differences): CanonicalSpan[] {
  const call = {
    kind: 'llm',
    status: 'ok',
    errorType: null,
    provider: 'openai',
    model: MODEL,
    tokens: `inputUncached=60 cacheRead=40 ${noReasoning ? 'outputText=20' : 'outputText=15 reasoning=5'}`,
    costPicoUsd: COST,
    costStatus: 'priced',
  };
  const reasons = (reason: string): string[] => (noFinishReasons ? [] : [reason]);
  return [
    { ...call, finishReasons: reasons('tool_calls'), hasFirstToken: false, input: [SYSTEM, ASKED], output: [CALLED] },
    { ...NO_MODEL, kind: 'tool', status: 'ok', errorType: null, input: JSON.parse(TOOL.arguments), output: TOOL.result },
    {
      ...call,
      finishReasons: reasons('stop'),
      hasFirstToken: !noFirstToken,
      input: [SYSTEM, ASKED, CALLED, hasToolNames ? { ...GIVEN, name: TOOL.name } : GIVEN],
      output: [{ role: 'assistant', content: ANSWER }],
    },
    {
      ...call,
      status: 'error',
      errorType: noErrorType ? null : 'provider_rate_limited',
      tokens: null,
      costPicoUsd: noErrorType ? null : '0',
      costStatus: noErrorType ? 'unpriced' : 'priced',
      finishReasons: [],
      hasFirstToken: false,
      input: [SYSTEM, ASKED],
      output: null,
    },
  ];
}

function parsed(text: string | null): unknown {
  if (text === null) return null;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function inputOf({ kind, input }: Span): unknown {
  const value = parsed(input);
  return kind === 'llm' && typeof value === 'object' && value !== null ? ((value as { messages?: unknown }).messages ?? value) : value;
}

/** The calls and tools of a trace in the order in which they began; agents and steps around them are each SDK's own. */
export function canonicalSpans({ spans }: TraceDetail): CanonicalSpan[] {
  return spans
    .filter(({ kind }) => kind === 'llm' || kind === 'tool')
    .sort((a, b) => Number(BigInt(a.startedAtNs) - BigInt(b.startedAtNs)))
    .map((span) => ({
      kind: span.kind,
      status: span.status,
      errorType: span.errorType,
      provider: span.provider,
      model: span.responseModel ?? span.requestModel,
      tokens:
        span.usage === null
          ? null
          : Object.entries(span.usage)
              .filter(([, count]) => count !== 0)
              .map(([name, count]) => `${name.replace(/Tokens$/, '')}=${count}`)
              .join(' '),
      costPicoUsd: span.costPicoUsd,
      costStatus: span.costStatus,
      finishReasons: span.finishReasons,
      hasFirstToken: span.ttftMs !== null,
      input: inputOf(span),
      output: parsed(span.output),
    }));
}
