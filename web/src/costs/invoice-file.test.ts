import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readInvoiceFile } from './invoice-file.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const problem = (of: Uint8Array): string => {
  const found = readInvoiceFile(of);
  return 'problem' in found ? found.problem : '';
};

describe('a chosen invoice file', () => {
  it('is text, with what the eye can check', () => {
    const csv = 'day,model,"cost_usd"\r\n2026-10-01,größe,1\r\n';
    assert.deepEqual(readInvoiceFile(bytes(csv)), { csv, rows: 1, columns: ['day', 'model', 'cost_usd'] });
    const utf16 = Uint8Array.from([0xff, 0xfe, ...[...'a,b\n1,2'].flatMap((char) => [char.charCodeAt(0), 0])]);
    assert.deepEqual(readInvoiceFile(utf16), { csv: 'a,b\n1,2', rows: 1, columns: ['a', 'b'] });
  });

  it('is refused with what to do: other encodings, workbooks, empty and large files', () => {
    assert.match(problem(Uint8Array.from([0x64, 0xfc, 0x0a, 0x31])), /CSV UTF-8/);
    assert.match(problem(bytes('PK\u0003\u0004\0\0')), /not as a workbook/);
    assert.match(problem(bytes('')), /no rows/);
    assert.match(problem(bytes('day,model,cost\n')), /no rows/);
    assert.match(problem(new Uint8Array(2_000_000)), /sum it up/);
    assert.match(problem(bytes(`a,b\n${'"x",1\n'.repeat(130_000)}`)), /sum it up/, 'quotes grow in JSON');
  });
});
