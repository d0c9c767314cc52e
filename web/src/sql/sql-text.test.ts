import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isNumberType, offsetOfError, readHistory, toCsv, toJson, withQuery } from './sql-text.ts';

const columns = [
  { name: 'a', type: 'String' },
  { name: 'b,"', type: 'Nullable(Int64)' },
];

describe('downloads of the SQL console', () => {
  it('quote what CSV needs quoted, and disarm formulas but not numbers', () => {
    const rows = [
      ['=HYPERLINK("x")', '-5'],
      ['line\nbreak', null],
      [{ k: [1] }, '+1e3'],
    ];
    assert.equal(toCsv({ columns, rows }), 'a,"b,"""\r\n"\'=HYPERLINK(""x"")",-5\r\n"line\nbreak",\r\n"{""k"":[1]}",+1e3\r\n');
  });

  it('are JSON that says what the rows say', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.string({ unit: 'binary' }), fc.oneof(fc.integer(), fc.constant(null)))), (rows) => {
        const parsed = JSON.parse(toJson({ columns, rows }));
        assert.deepEqual(
          parsed.map((row: Record<string, unknown>) => [row.a, row['b,"']]),
          rows.map(([text, number]) => [text, Object.is(number, -0) ? 0 : number]),
        );
      }),
    );
    assert.deepEqual(JSON.parse(toJson({ columns: [columns[0], columns[0]] as typeof columns, rows: [[1, 2]] })), [{ a: 1, 'a 2': 2 }]);
  });
});

describe('SQL console', () => {
  it('finds the place of an error in the statement', () => {
    assert.equal(offsetOfError('Line 2, column 3: no', 'ab\ncdef'), 5);
    assert.equal(offsetOfError('Line 9, column 3: no', 'ab'), null);
    assert.equal(offsetOfError('no place', 'ab'), null);
  });

  it('knows numbers by their type', () => {
    for (const type of ['UInt8', 'Nullable(Int64)', 'Float64', 'SimpleAggregateFunction(sum, UInt64)', 'Decimal(18, 2)'])
      assert.ok(isNumberType(type), type);
    for (const type of ['String', 'Array(UInt8)', "DateTime('UTC')", 'Map(String, Int8)']) assert.ok(!isNumberType(type), type);
  });

  it('keeps each query once, the newest first', () => {
    assert.deepEqual(withQuery(['b', 'a'], ' a '), ['a', 'b']);
    assert.equal(
      withQuery(
        Array.from({ length: 50 }, (_, place) => `${place}`),
        'x',
      ).length,
      50,
    );
    for (const broken of [null, '{', '{"a":1}', '7']) assert.deepEqual(readHistory(broken), []);
    assert.deepEqual(readHistory('["a",1]'), ['a']);
  });
});
