import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { JsonScanner } from '../body/json-scanner.ts';
import { OpenAiChunkReader } from './openai-chunk.ts';

interface Chunk {
  readonly choices: readonly { index: number; delta: Record<string, unknown>; finish_reason: string | null }[];
  readonly [name: string]: unknown;
}

const content = fc.oneof(fc.string({ maxLength: 6 }), fc.constantFrom('', '"', '\\', '"}', 'é😀', '\n', '","x":"'));
const delta = fc.oneof(
  { weight: 6, arbitrary: content.map((text) => ({ content: text })) },
  fc.constantFrom(
    {},
    { role: 'assistant', content: '' },
    { content: null },
    { refusal: 'no' },
    { tool_calls: [{ index: 0 }] },
    { content: 'a', reasoning_content: 'b' },
  ),
);
const choice = fc.record({
  index: fc.constantFrom(0, 0, 0, 1),
  delta,
  finish_reason: fc.constantFrom(null, null, null, 'stop'),
});
const chunk: fc.Arbitrary<Chunk> = fc
  .record(
    {
      id: fc.constantFrom('c-1', 'c-1', 'c"2'),
      model: fc.constantFrom('m'),
      choices: fc.oneof({ weight: 8, arbitrary: choice.map((one) => [one]) }, fc.array(choice, { maxLength: 3 })),
      usage: fc.constantFrom(null, null, { prompt_tokens: 1, completion_tokens: 2 }),
      error: fc.constantFrom(undefined, undefined, undefined, null, { message: 'x' }),
      obfuscation: fc.constantFrom(undefined, undefined, 'a', 'bb'),
    },
    { requiredKeys: ['choices'] },
  )
  .map((value) => JSON.parse(JSON.stringify(value)) as Chunk);

/** What the parsed chunk says, in the reader's terms. */
function expected(value: Chunk) {
  const plain = value.choices.length === 1 ? value.choices[0] : undefined;
  const parts = value.choices.flatMap(({ delta: fields }) =>
    Object.entries(fields).filter(([name, part]) => name !== 'role' && part !== null && part !== '' && JSON.stringify(part).length > 2),
  );
  return {
    hasContent: parts.length > 0,
    hasNoChoices: value.choices.length === 0,
    finishReason: value.choices.findLast((entry) => entry.finish_reason !== null)?.finish_reason ?? null,
    hasUsage: value.usage != null,
    hasError: value.error != null,
    isComplex: value.choices.length > 1 || value.choices.some(({ index }) => index !== 0) || parts.some(([name]) => name !== 'content'),
    content: plain === undefined ? null : plain.delta.content || null,
  };
}

describe('OpenAiChunkReader', () => {
  it('reads every chunk of a stream as JSON.parse would, whatever came before it', () => {
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 12 }), (chunks) => {
        const reader = new OpenAiChunkReader(new JsonScanner(32));
        for (const value of chunks) {
          const bytes = Buffer.from(`data: ${JSON.stringify(value)}\n\n`);
          reader.read(bytes, 6, bytes.length - 2);
          const want = expected(value);
          const seen = {
            hasContent: reader.hasContent,
            hasNoChoices: reader.hasNoChoices,
            finishReason: reader.finishReason,
            hasUsage: reader.usageStart >= 0,
            hasError: reader.errorStart >= 0,
            isComplex: reader.isComplex,
            content:
              value.choices.length !== 1 || reader.contentStart < 0
                ? null
                : (JSON.parse(`"${bytes.toString('utf8', reader.contentStart, reader.contentEnd)}"`) as string),
          };
          assert.deepEqual(seen, want);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('refuses a damaged chunk, also one that begins and ends like the one before', () => {
    const reader = new OpenAiChunkReader(new JsonScanner(32));
    const of = (text: string): Buffer => Buffer.from(`{"choices":[{"index":0,"delta":{"content":"${text}"},"finish_reason":null}]}`);
    for (const good of ['a', 'bc', '\\n', 'a"},"finish_reason":"stop","x":{"y":"']) {
      const bytes = of(good);
      reader.read(bytes, 0, bytes.length);
    }
    assert.equal(reader.contentEnd - reader.contentStart, 1); // read anew, not taken for a long text
    for (const bad of ['"', '\\', '\n', '\\x', 'a","content']) {
      const bytes = of(bad);
      assert.throws(() => reader.read(bytes, 0, bytes.length), { code: 'invalid_argument' });
    }
  });
});
