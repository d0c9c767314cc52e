import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { EngineException } from './exception.ts';
import { parseInsert, quoteLiteral, renderParameterBinding, renderSettings, splitFormat, statementKind } from './statement.ts';

const withCode = (code: number) => (error: unknown) => error instanceof EngineException && error.exceptionCode === code;

describe('statements of the façade', () => {
  it('tells reads, inserts, definitions and session statements apart', () => {
    for (const [sql, kind] of [
      ['SELECT 1', 'select'],
      ['  -- note\n /* a */ with 1 AS x SELECT x', 'select'],
      ['(SELECT 1) UNION ALL (SELECT 2)', 'select'],
      ['insert into t FORMAT JSONEachRow', 'insert'],
      ['CREATE TABLE t (a Int8) ENGINE = Memory', 'definition'],
      ['SET max_threads = 1', 'session'],
      ['use other', 'session'],
      ['', 'definition'],
    ] as const)
      assert.equal(statementKind(sql), kind, sql);
  });

  it('takes only a trailing FORMAT off', () => {
    assert.deepEqual(splitFormat('SELECT 1 \nFORMAT JSONEachRow', 'TSV'), { body: 'SELECT 1 ', format: 'JSONEachRow' });
    assert.deepEqual(splitFormat("SELECT 'FORMAT x'", 'TSV'), { body: "SELECT 'FORMAT x'", format: 'TSV' });
    assert.deepEqual(splitFormat('SELECT 1;', 'TSV'), { body: 'SELECT 1', format: 'TSV' });
  });

  it('reads an insert with data and leaves the others alone', () => {
    assert.deepEqual(parseInsert('INSERT INTO a.`b` (x, `y`)\nFORMAT JSONCompactEachRow\n'), {
      table: 'a.b',
      columns: ['x', 'y'],
      format: 'JSONCompactEachRow',
    });
    assert.equal(parseInsert('INSERT INTO t SELECT 1'), null);
    assert.equal(parseInsert('INSERT INTO t; DROP TABLE t FORMAT CSV'), null);
  });

  it('quotes values so that no quote or backslash is left bare', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        const literal = quoteLiteral(value);
        assert.match(literal, /^'(?:[^'\\]|\\[\s\S])*'$/);
        assert.equal(literal.slice(1, -1).replace(/\\([\s\S])/g, '$1'), value);
      }),
      { numRuns: 200 },
    );
  });

  it('refuses names that are not names, and placeholders without a value of their own', () => {
    assert.equal(
      renderSettings(
        new Map([
          ['max_threads', '2'],
          ['log_comment', "a'b"],
        ]),
      ),
      "max_threads=2, log_comment='a\\'b'",
    );
    assert.throws(() => renderSettings(new Map([['a=1, b', '2']])), withCode(62));
    assert.throws(() => renderParameterBinding('SELECT 1', new Map([['x y', '2']])), withCode(62));
    assert.throws(() => renderParameterBinding('SELECT {x:String}, { y : Array(Int8)}', new Map([['x', '2']])), withCode(456));
    assert.equal(renderParameterBinding('SELECT {x:String}', new Map([['x', '1']])), "SET param_x='1'");
    assert.equal(renderParameterBinding('SELECT 1', new Map()), null);
  });
});
