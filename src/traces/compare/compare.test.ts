import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { NO_USAGE } from '../../models/usage.ts';
import type { Span, TraceDetail, TraceSummary } from '../model.ts';
import { alignSpans } from './align-spans.ts';
import { compareTexts, compareTraces } from './compare-traces.ts';
import { editScript } from './edit-script.ts';
import { messageLines } from './message-text.ts';
import { spanTree } from './span-tree.ts';
import { diffTexts, type Pieces } from './text-diff.ts';

function span(id: string, parent: string | null, changes: Partial<Span> = {}): Span {
  return {
    spanId: id,
    parentSpanId: parent,
    name: 'work',
    kind: 'span',
    startedAtNs: '1000000000000000000',
    durationNs: '1000000',
    status: 'ok',
    statusMessage: '',
    errorType: null,
    provider: null,
    requestModel: null,
    responseModel: null,
    finishReasons: [],
    usage: null,
    usageSource: null,
    costPicoUsd: null,
    costStatus: null,
    priceId: null,
    ttftMs: null,
    isEntry: false,
    attributes: {},
    input: null,
    output: null,
    isTruncated: false,
    textsDeleted: null,
    ...changes,
  };
}

function summary(changes: Partial<TraceSummary>): TraceSummary {
  return {
    durationMs: 1,
    ttftMs: null,
    costPicoUsd: '0',
    inputTokens: null,
    outputTokens: null,
    requests: 0,
    attempts: 0,
    ...changes,
  } as TraceSummary; // what the comparison reads
}

function detail(spans: Span[], changes: Partial<TraceSummary> = {}): TraceDetail {
  return { trace: summary({ spanCount: spans.length, ...changes }), hasTexts: true, spans };
}

/** Length of the longest common subsequence, by the textbook table. */
function commonLength(a: readonly string[], b: readonly string[]): number {
  const table = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0));
  for (let i = 1; i <= a.length; i++)
    for (let j = 1; j <= b.length; j++)
      // biome-ignore lint/style/noNonNullAssertion: the table has these places
      table[i]![j] = a[i - 1] === b[j - 1] ? table[i - 1]![j - 1]! + 1 : Math.max(table[i - 1]![j]!, table[i]![j - 1]!);
  return table[a.length]?.[b.length] ?? 0;
}

describe('edit script', () => {
  const list = fc.array(fc.constantFrom('a', 'b', 'c', ''), { maxLength: 14 });

  it('covers both lists without a gap, keeps only what is equal, and is the shortest', () => {
    fc.assert(
      fc.property(list, list, (a, b) => {
        const { runs, isCoarse } = editScript(a, b, 100);
        assert.equal(isCoarse, false);
        let [x, y, kept] = [0, 0, 0];
        for (const [place, run] of runs.entries()) {
          assert.deepEqual([run.aFrom, run.bFrom], [x, y]);
          if (run.isSame) {
            assert.deepEqual(a.slice(run.aFrom, run.aTo), b.slice(run.bFrom, run.bTo));
            kept += run.aTo - run.aFrom;
          }
          assert.notEqual(run.isSame, runs[place - 1]?.isSame, 'same and changed take turns');
          [x, y] = [run.aTo, run.bTo];
        }
        assert.deepEqual([x, y], [a.length, b.length]);
        assert.equal(kept, commonLength(a, b));
      }),
      { numRuns: 500 },
    );
  });

  it('gives up on lists that have nothing in common, at a bounded cost, and says so', () => {
    const lines = (of: string) => Array.from({ length: 20_000 }, (_, place) => `${of}${place}`);
    const { runs, isCoarse } = editScript(['same', ...lines('a'), 'end'], ['same', ...lines('b'), 'end'], 500);
    assert.equal(isCoarse, true);
    assert.deepEqual(
      runs.map((run) => [run.isSame, run.aTo - run.aFrom, run.bTo - run.bFrom]),
      [
        [true, 1, 1],
        [false, 20_000, 20_000],
        [true, 1, 1],
      ],
    );
  });
});

describe('diff of texts', () => {
  const textOf = (pieces: Pieces | null): string[] => (pieces === null ? [] : [pieces.map(({ text }) => text).join('')]);
  const text = fc
    .array(
      fc.oneof(fc.constantFrom('a cat sat', 'a dog sat', '<b>&amp;</b>', '', '\u{1F600} é'), fc.string({ maxLength: 20, unit: 'binary' })),
      { maxLength: 10 },
    )
    .map((lines) => lines.join('\n'));

  it('loses and invents nothing on either side', () => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        const { rows } = diffTexts(a, b);
        const lines = (of: string) => (of === '' ? [] : of.split(/\r\n|\n|\r/));
        assert.deepEqual(
          rows.flatMap((row) => textOf(row.a)),
          lines(a),
        );
        assert.deepEqual(
          rows.flatMap((row) => (row.kind === 'same' ? textOf(row.a) : textOf(row.b))),
          lines(b),
        );
        for (const row of rows) if (row.kind === 'same') assert.ok(row.a?.every(({ isChanged }) => !isChanged));
      }),
      { numRuns: 500 },
    );
  });

  it('marks the words of a line that changed', () => {
    const { rows, addedLines, removedLines } = diffTexts('one\nthe quick brown fox\nend', 'one\nthe slow brown fox\nend');
    assert.deepEqual(
      rows.map(({ kind }) => kind),
      ['same', 'changed', 'same'],
    );
    assert.deepEqual(rows[1]?.a, [
      { text: 'the ', isChanged: false },
      { text: 'quick', isChanged: true },
      { text: ' brown fox', isChanged: false },
    ]);
    assert.deepEqual([addedLines, removedLines], [1, 1]);
  });

  it('stays fast on lines and texts of any size', () => {
    const started = performance.now();
    diffTexts('x '.repeat(300_000), 'y '.repeat(300_000));
    diffTexts('a\n'.repeat(100_000), 'b\n'.repeat(100_000));
    const mixed = (word: string) =>
      Array.from({ length: 8_000 }, (_, place) => `${word} ${place * (word === 'p' ? 1 : 3)} same words here`).join('\n');
    const { isCut } = diffTexts(mixed('p'), mixed('q'));
    assert.equal(isCut, false);
    assert.ok(performance.now() - started < 10_000, 'bounded');
  });
});

describe('messages as lines', () => {
  it('shows each message under its role, tool calls in JSON, and the rest of the request sorted', () => {
    const request = JSON.stringify({
      temperature: 0.2,
      model: 'm',
      system: 'Be brief.',
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Hi' },
            { type: 'image', source: { url: 'u' } },
          ],
        },
        { role: 'assistant', content: null, tool_calls: [{ id: '1', function: { name: 'find', arguments: '{"q":1}' } }] },
      ],
    });
    assert.equal(
      messageLines(request),
      '[system]\nBe brief.\n\n[user]\nHi\n{\n  "type": "image",\n  "source": {\n    "url": "u"\n  }\n}\n\n[assistant]\nfind {\n  "q": 1\n}\n\n[request]\n{\n  "model": "m",\n  "temperature": 0.2\n}',
    );
    assert.equal(messageLines('[{"message":{"role":"assistant","content":"Yes"}}]'), '[assistant]\nYes');
  });

  it('leaves alone what it does not know', () => {
    for (const text of ['{"cut', 'plain', '12', '']) assert.equal(messageLines(text), text);
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        messageLines(JSON.stringify(value));
      }),
    );
  });
});

const anySpans = fc
  .array(
    fc.tuple(
      fc.integer({ min: -1, max: 14 }),
      fc.constantFrom('chat a', 'chat b', 'tool'),
      fc.constantFrom('llm', 'tool', 'span'),
      fc.nat(5),
    ),
    {
      maxLength: 15,
    },
  )
  .map((list) =>
    list.map(([parent, name, kind, start], place) =>
      // Parents may be missing, lie below, or be the span itself.
      span(`${place}`, parent < 0 ? null : `${parent}`, {
        name,
        kind: kind as Span['kind'],
        startedAtNs: `${1_000_000_000_000_000_000n + BigInt(start)}`,
      }),
    ),
  );

describe('spans as a tree', () => {
  it('hold each span once, whatever parents they name', () => {
    fc.assert(
      fc.property(anySpans, (spans) => {
        const tree = spanTree(spans);
        const seen: string[] = [];
        const visit = (at: Span): void => {
          seen.push(at.spanId);
          for (const child of tree.children(at)) visit(child);
        };
        for (const root of tree.roots) visit(root);
        assert.deepEqual(seen.sort(), spans.map(({ spanId }) => spanId).sort());
      }),
      { numRuns: 500 },
    );
  });
});

describe('aligned spans', () => {
  it('hold each span of both traces once', () => {
    fc.assert(
      fc.property(anySpans, anySpans, (a, b) => {
        const rows = alignSpans(a, b);
        const ids = (side: 'a' | 'b') => rows.flatMap((row) => row[side]?.spanId ?? []).sort();
        assert.deepEqual(ids('a'), a.map(({ spanId }) => spanId).sort());
        assert.deepEqual(ids('b'), b.map(({ spanId }) => spanId).sort());
        const kindOf = (of: Span[], id: string | undefined) => of.find(({ spanId }) => spanId === id)?.kind;
        for (const row of rows) if (row.change === 'both') assert.equal(kindOf(a, row.a?.spanId), kindOf(b, row.b?.spanId));
      }),
      { numRuns: 500 },
    );
  });

  it('of one trace with itself differ in nothing', () => {
    fc.assert(
      fc.property(anySpans, (spans) => {
        for (const row of alignSpans(spans, spans)) {
          assert.equal(row.a?.spanId, row.b?.spanId);
          assert.equal(row.durationDifferenceMs, 0);
        }
      }),
    );
  });

  it('pair what has the same name first, then what took its place, and say what came and went', () => {
    const a = [
      span('r', null, { name: 'agent' }),
      span('1', 'r', { name: 'chat old', kind: 'llm', durationNs: '2000000' }),
      span('2', 'r', { name: 'search', kind: 'tool' }),
      span('3', 'r', { name: 'search', kind: 'tool' }),
    ];
    const b = [
      span('R', null, { name: 'agent' }),
      span('A', 'R', { name: 'search', kind: 'tool' }),
      span('B', 'R', { name: 'chat new', kind: 'llm', durationNs: '2000001' }),
      span('C', 'R', { name: 'guard', kind: 'guardrail' }),
    ];
    assert.deepEqual(
      alignSpans(a, b).map(({ depth, change, a, b, durationDifferenceMs }) => [depth, change, a?.spanId, b?.spanId, durationDifferenceMs]),
      [
        [0, 'both', 'r', 'R', 0],
        [1, 'both', '1', 'B', 0.000001],
        [1, 'added', undefined, 'C', null],
        [1, 'both', '2', 'A', 0],
        [1, 'removed', '3', undefined, null],
      ],
    );
  });

  it('of 10 000 spans in one chain, or under one parent, take less than a second', () => {
    const chain = Array.from({ length: 10_000 }, (_, place) => span(`${place}`, place === 0 ? null : `${place - 1}`));
    const flat = Array.from({ length: 10_000 }, (_, place) => span(`${place}`, place === 0 ? null : '0', { name: `n${place % 7}` }));
    const started = performance.now();
    assert.equal(alignSpans(chain, chain).length, 10_000);
    assert.ok(alignSpans(flat, chain).length > 10_000);
    assert.ok(performance.now() - started < 2_000);
  });
});

describe('comparison of traces', () => {
  it('gives exact differences, and nothing where a side is not known', () => {
    const usage = { ...NO_USAGE, inputUncachedTokens: 90, cacheReadTokens: 10, outputTextTokens: 5 };
    const a = detail([span('1', null, { isEntry: true, kind: 'gateway', usage, input: 'x' })], {
      durationMs: 0.3,
      ttftMs: 5,
      costPicoUsd: '9007199254740993',
      inputTokens: 100,
      outputTokens: 5,
      requests: 1,
    });
    const b = detail([span('2', null, { isEntry: true, kind: 'gateway', usage: { ...usage, cacheReadTokens: 0 } })], {
      durationMs: 0.1,
      costPicoUsd: '9007199254740994',
      inputTokens: 90,
      outputTokens: 5,
      requests: 1,
    });
    const { numbers, entries } = compareTraces(a, b);
    assert.deepEqual(numbers.durationMs, { a: 0.3, b: 0.1, difference: -0.2 });
    assert.deepEqual(numbers.ttftMs, { a: 5, b: null, difference: null });
    assert.equal(numbers.costPicoUsd.difference, '1');
    assert.deepEqual(numbers.tokens, [
      { usageClass: 'inputUncachedTokens', a: 90, b: 90, difference: 0 },
      { usageClass: 'cacheReadTokens', a: 10, b: 0, difference: -10 },
      { usageClass: 'outputTextTokens', a: 5, b: 5, difference: 0 },
    ]);
    assert.deepEqual(entries, { a: '1', b: '2' });
  });

  it('names no classes of tokens when they do not add up to the sums', () => {
    const some = detail([span('1', null, { isEntry: true })], { inputTokens: 7, outputTokens: 1 });
    assert.equal(compareTraces(some, some).numbers.tokens, null);
  });

  it('compares texts that only one side has with nothing, and says so', () => {
    const one = { input: '[{"role":"user","content":"Hi"}]', output: null, isTruncated: false, textsDeleted: null };
    const diff = compareTexts(one, null);
    assert.deepEqual(
      diff.input?.rows.map(({ kind, a }) => [kind, a?.[0]?.text]),
      [
        ['removed', '[user]'],
        ['removed', 'Hi'],
      ],
    );
    assert.equal(diff.output, null);
    assert.deepEqual(diff.missing, { a: [], b: ['input'] });
    assert.deepEqual(compareTexts(null, null), { input: null, output: null, missing: { a: [], b: [] } });
  });
});
