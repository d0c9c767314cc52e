import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Span } from '../../../src/traces/model.ts';
import { axisMarks, firstSpanToShow, layoutWaterfall } from './waterfall.ts';

const BASE_NS = 1_800_000_000_000_000_000n;

/** Only the fields that the layout reads. */
function span(spanId: string, parentSpanId: string | null, startMs: number, durationMs: number, ttftMs: number | null = null): Span {
  const startedAtNs = (BASE_NS + BigInt(Math.round(startMs * 1e6))).toString();
  return { spanId, parentSpanId, startedAtNs, durationNs: String(Math.round(durationMs * 1e6)), ttftMs, isEntry: false } as Span;
}
const NONE: ReadonlySet<string> = new Set();

describe('waterfall', () => {
  it('orders a tree by start and keeps sub-millisecond offsets', () => {
    const { rows, totalMs } = layoutWaterfall([span('c', 'a', 30, 60, 20), span('b', 'a', 0.25, 10), span('a', null, 0, 100)], NONE);
    assert.deepEqual(
      rows.map((row) => [row.span.spanId, row.depth, row.offsetMs, row.durationMs, row.ttftMs]),
      [
        ['a', 0, 0, 100, null],
        ['b', 1, 0.25, 10, null],
        ['c', 1, 30, 60, 20],
      ],
    );
    assert.equal(totalMs, 100);
    assert.equal(rows[0]?.descendantCount, 2);
  });

  it('shows orphans and cycles once', () => {
    const { rows } = layoutWaterfall([span('x', 'gone', 5, 1), span('p', 'q', 0, 1), span('q', 'p', 1, 1), span('s', 's', 2, 1)], NONE);
    assert.deepEqual(rows.map((row) => row.span.spanId).sort(), ['p', 'q', 's', 'x']);
  });

  it('hides the descendants of a collapsed span but not its time', () => {
    const { rows, totalMs } = layoutWaterfall([span('a', null, 0, 10), span('b', 'a', 0, 50), span('c', 'b', 0, 5)], new Set(['a']));
    assert.deepEqual(
      rows.map((row) => [row.span.spanId, row.descendantCount]),
      [['a', 2]],
    );
    assert.equal(totalMs, 50);
  });

  it('holds every span exactly once, inside the total', () => {
    const spans = fc.array(fc.tuple(fc.nat(20), fc.nat(20), fc.nat(1000), fc.nat(1000)), { maxLength: 40 });
    fc.assert(
      fc.property(spans, (made) => {
        const list = made.map(([, parent, start, duration], index) =>
          span(`s${index}`, parent < 15 ? `s${parent}` : null, start, duration),
        );
        const { rows, totalMs } = layoutWaterfall(list, NONE);
        assert.equal(new Set(rows.map((row) => row.span.spanId)).size, list.length);
        assert.equal(rows.length, list.length);
        for (const row of rows) assert.ok(row.offsetMs >= 0 && row.offsetMs + row.durationMs <= totalMs + 1e-6);
      }),
      { numRuns: 150 },
    );
  });

  it('puts round marks on the axis', () => {
    assert.deepEqual(axisMarks(1240, 5), [0, 500, 1000]);
    assert.deepEqual(axisMarks(0, 5), [0]);
    assert.ok(axisMarks(7.3, 5).length <= 6);
  });

  it('opens the entry span first', () => {
    const entry = { ...span('e', 'client', 1, 1), isEntry: true };
    assert.equal(firstSpanToShow([span('a', null, 0, 1), entry])?.spanId, 'e');
    assert.equal(firstSpanToShow([]), null);
  });
});
