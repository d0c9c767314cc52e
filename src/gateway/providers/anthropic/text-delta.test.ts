import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { readTextDelta } from './text-delta.ts';

function eventText(index: number, text: string): string {
  return JSON.stringify({ type: 'content_block_delta', index, delta: { type: 'text_delta', text } });
}

it('reads every text as JSON.parse does, with the padding that Anthropic writes', () => {
  fc.assert(
    fc.property(
      fc.nat({ max: 999_999 }),
      fc.string({ unit: 'binary' }),
      fc.nat({ max: 20 }),
      fc.nat({ max: 20 }),
      (index, text, first, second) => {
        const written = `${eventText(index, text).slice(0, -2)}${' '.repeat(first)}}${' '.repeat(second)}}`;
        const read = readTextDelta(written);
        assert.ok(read !== null);
        assert.deepEqual([read.index, read.text, JSON.parse(read.textJson)], [index, text, text]);
      },
    ),
  );
});

it('leaves whatever else an event may hold to the parser', () => {
  const usual = eventText(0, 'a "quoted" text');
  for (const other of [
    usual.slice(0, -1),
    `${usual}}`,
    ` ${usual}`,
    usual.replace('"index":0', '"index":01'),
    usual.replace('"index":0', '"index":'),
    usual.replace('"index":0', '"index":1234567'),
    usual.replace('"index":0', '"index":-1'),
    usual.replace('text_delta', 'thinking_delta'),
    usual.replace('}}', ',"type":"x"}}'),
    usual.replace('}}', ',"text":"another"}}'),
    usual.replace('}}', '},"more":"yes"}'),
    usual.replace('a \\"', 'a "'),
    usual.replace('a ', 'a \n'),
    usual.replace('text"}}', 'text\\"}}'),
    '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"}}',
    '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":}}',
    '',
  ])
    assert.equal(readTextDelta(other), null, other);
});

it('agrees with the parser about every damaged event', () => {
  const usual = eventText(3, 'Grüße \\ "x" \u2028 {"a":1}}');
  fc.assert(
    fc.property(fc.nat({ max: usual.length - 1 }), fc.nat({ max: 3 }), fc.string({ maxLength: 3 }), (at, removed, added) => {
      const read = readTextDelta(usual.slice(0, at) + added + usual.slice(at + removed));
      if (read === null) return;
      const parsed: unknown = JSON.parse(usual.slice(0, at) + added + usual.slice(at + removed));
      assert.deepEqual(parsed, { type: 'content_block_delta', index: read.index, delta: { type: 'text_delta', text: read.text } });
    }),
  );
});
