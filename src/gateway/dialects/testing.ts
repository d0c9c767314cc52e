/** What the tests of the dialects share: answers of the hub, whole and as streams of every cut. */

import fc from 'fast-check';
import { parseJsonText } from '../../kernel/parse-json.ts';

export interface ArbitraryAnswer {
  readonly reasoning: string;
  readonly text: string;
  readonly calls: readonly { readonly id: string; readonly name: string; readonly arguments: string }[];
  /** The same answer as `chat.completion` and as `chat.completion.chunk` objects. */
  readonly completion: Record<string, unknown>;
  readonly chunks: readonly Record<string, unknown>[];
}

type Json = Record<string, unknown>;

const USAGE = {
  prompt_tokens: 30,
  completion_tokens: 12,
  total_tokens: 42,
  prompt_tokens_details: { cached_tokens: 10, cache_write_tokens: 5 },
  completion_tokens_details: { reasoning_tokens: 4 },
};

/** Cuts a text at the given places (fractions of its length), surrogate pairs included. */
function cut(text: string, places: readonly number[]): string[] {
  const at = [...new Set(places.map((place) => Math.floor(place * text.length)))].sort((a, b) => a - b);
  const pieces: string[] = [];
  let from = 0;
  for (const to of [...at, text.length]) {
    if (to > from) pieces.push(text.slice(from, to));
    from = to;
  }
  return pieces;
}

function chunk(delta: Json, finish: string | null = null): Json {
  return { id: 'chatcmpl-Ab1', object: 'chat.completion.chunk', model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] };
}

/** The deltas of all calls; with `order`, those of parallel calls are mixed. Calls begin in their order. */
function callDeltas(calls: ArbitraryAnswer['calls'], places: readonly number[], order: readonly number[] | null): Json[] {
  const lanes = calls.map((call, index) => [
    { index, id: call.id, type: 'function', function: { name: call.name, arguments: '' } },
    ...cut(call.arguments, places).map((text) => ({ index, function: { arguments: text } })),
  ]);
  const mixed: Json[] = [];
  let turn = 0;
  let begun = 0;
  while (lanes.some((lane) => lane.length > 0)) {
    const open = lanes.filter((lane, index) => lane.length > 0 && index <= begun);
    const lane = order === null ? open[0] : open[(order[turn++ % order.length] ?? 0) % open.length];
    const next = lane?.shift();
    if (next === undefined) continue;
    if (next.index === begun) begun++;
    mixed.push(next);
  }
  return mixed;
}

const word = fc.string({ unit: 'grapheme', maxLength: 12 });
const places = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 4 });

export const arbitraryAnswer: fc.Arbitrary<ArbitraryAnswer> = fc
  .record({
    reasoning: word,
    text: word,
    inputs: fc.array(fc.dictionary(word, fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 }), { maxLength: 3 }),
    places,
    order: fc.option(fc.array(fc.nat(5), { minLength: 1, maxLength: 8 }), { nil: null }),
  })
  .map(({ reasoning, text, inputs, places: where, order }) => {
    const calls = inputs.map((input, index) => ({ id: `call_${index}`, name: `tool_${index}`, arguments: JSON.stringify(input) }));
    const finish = calls.length > 0 ? 'tool_calls' : 'stop';
    const message = {
      role: 'assistant',
      content: text === '' ? null : text,
      refusal: null,
      ...(reasoning === '' ? {} : { reasoning_content: reasoning }),
      ...(calls.length === 0
        ? {}
        : { tool_calls: calls.map(({ id, name, arguments: text_ }) => ({ id, type: 'function', function: { name, arguments: text_ } })) }),
    };
    const completion = {
      id: 'chatcmpl-Ab1',
      object: 'chat.completion',
      created: 7,
      model: 'm',
      choices: [{ index: 0, message, finish_reason: finish }],
      usage: USAGE,
    };
    const chunks = [
      chunk({ role: 'assistant', content: '' }),
      ...cut(reasoning, where).map((piece) => chunk({ reasoning_content: piece })),
      ...cut(text, where).map((piece) => chunk({ content: piece })),
      ...callDeltas(calls, where, order).map((call) => chunk({ tool_calls: [call] })),
      chunk({}, finish),
      { id: 'chatcmpl-Ab1', object: 'chat.completion.chunk', model: 'm', choices: [], usage: USAGE },
    ];
    return { reasoning, text, calls, completion, chunks };
  });

/** Events of an SSE text. @throws when it is not one whole event after another */
export function parseEvents(text: string): { readonly name: string | null; readonly data: Json }[] {
  if (text !== '' && !text.endsWith('\n\n')) throw new Error(`Not whole events: ${text}`);
  return text
    .split(/\r?\n\r?\n/)
    .filter((event) => event !== '')
    .map((event) => {
      // Not a regular expression: `.` stops at U+2028, which JSON may hold.
      const lines = event.split(/\r?\n/);
      const field = (prefix: string) => lines.find((line) => line.startsWith(prefix))?.slice(prefix.length);
      const name = field('event: ') ?? null;
      const data = field('data: ');
      if (data === undefined) throw new Error(`An event without data: ${event}`);
      return { name, data: parseJsonText(data) as Json };
    });
}
