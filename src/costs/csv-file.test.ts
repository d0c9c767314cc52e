import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { csvFile, csvText } from './csv-file.ts';
import { parseCsv } from './invoices/parse-csv.ts';

const cell = fc.string({
  maxLength: 12,
  unit: fc.constantFrom('a', '=', '+', '-', '@', '|', '%', '"', ',', '\n', '\r', '\t', ' ', '\0', '＝'),
});

describe('CSV for spreadsheets', () => {
  it('holds what was written, and no cell is a formula', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, cell), { maxLength: 6 }), (rows) => {
        const [, ...read] = parseCsv(
          csvFile(
            ['a', 'b'],
            rows.map((row) => row.map(csvText)),
          ),
        );
        // A row of two empty cells is a row; parseCsv drops only lines without any.
        assert.equal(read.length, rows.length);
        for (const [place, row] of read.entries())
          for (const [column, text] of row.entries()) {
            const original = rows[place]?.[column] ?? '';
            assert.ok(text === original || text === `'${original}`);
            assert.doesNotMatch(text, /^[\s\0]*[=+\-@＝|%]/);
          }
      }),
      { numRuns: 500 },
    );
  });

  it('leaves ordinary names alone', () => {
    for (const text of ['support', 'acme, inc', '', 'a=b', 'größe', "o'brien"]) assert.equal(parseCsv(`x,${csvText(text)}`)[0]?.[1], text);
    for (const text of ['=1+1', '+1', '-1', '@sum', '\t=1', ' =1', '|calc', '\r=1'])
      assert.equal(parseCsv(`x,${csvText(text)}`)[0]?.[1], `'${text}`);
  });
});
