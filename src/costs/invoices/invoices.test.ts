import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { ModelDay } from '../cost-queries.ts';
import { parseCsv } from './parse-csv.ts';
import { modelFamily, picoOfAmount, readInvoice } from './read-invoice.ts';
import { reconcile } from './reconcile.ts';
import { reconciliationCsv } from './reconciliation-csv.ts';

const USD = 10n ** 12n;
const quote = (cell: string): string => (/[",\r\n]/.test(cell) || cell === '' ? `"${cell.replaceAll('"', '""')}"` : cell);

describe('CSV', () => {
  it('reads back what was written, quotes, commas and line breaks included', () => {
    const cell = fc.string({ maxLength: 12, unit: fc.constantFrom('a', '"', ',', '\n', '\r', ' ', 'ä', '0') });
    fc.assert(
      fc.property(
        fc.array(fc.array(cell, { minLength: 2, maxLength: 5 }), { maxLength: 8 }),
        fc.constantFrom('\n', '\r\n'),
        (rows, end) => {
          const text = rows.map((row) => row.map(quote).join(',') + end).join('');
          assert.deepEqual(parseCsv(text), rows);
          assert.deepEqual(parseCsv(`\uFEFF${text}`), rows);
        },
      ),
    );
  });

  it('never loops, whatever it is given, and refuses an open quote', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60, unit: fc.constantFrom('a', '"', ',', '\n', '\r') }), (text) => {
        try {
          assert.ok(parseCsv(text).length <= text.length);
        } catch (thrown) {
          assert.match(String(thrown), /never closed/);
        }
      }),
      { numRuns: 2_000 },
    );
    assert.throws(() => parseCsv('a,"b'), { code: 'invalid_argument' });
  });
});

describe('amounts', () => {
  it('are exact to the pico-dollar, and say when they were finer', () => {
    for (const [text, pico] of [
      ['1', USD],
      ['0.000000000001', 1n],
      ['-2.5', -25n * 10n ** 11n],
      ['$1,234.50', 12345n * 10n ** 11n],
      ['1.2e-05', 12n * 10n ** 6n],
      ['3E2', 300n * USD],
      ['.5', USD / 2n],
    ] as const)
      assert.deepEqual(picoOfAmount(text), { pico, isRounded: false }, text);
    assert.deepEqual(picoOfAmount('0.0000000000015'), { pico: 2n, isRounded: true });
    for (const text of ['', '.', 'x', '1.2.3', '1e999', 'Infinity', '0x10', '--1']) assert.equal(picoOfAmount(text), null, text);
    fc.assert(
      fc.property(fc.bigInt(0n, 10n ** 24n), (pico) => {
        const text = `${pico / USD}.${(pico % USD).toString().padStart(12, '0')}`;
        assert.deepEqual(picoOfAmount(text), { pico, isRounded: false });
      }),
    );
  });
});

describe('invoices', () => {
  it("reads OpenAI's shape: amounts by line item, token kinds of a model added up", () => {
    const csv = [
      'start_time,start_time_iso,end_time,end_time_iso,amount_value,amount_currency,line_item,organization_id,project_id',
      '1790812800,2026-10-01T00:00:00+00:00,1790899200,2026-10-02T00:00:00+00:00,1.25,usd,"gpt-5-mini-2026-01-01, input",org,p',
      '1790812800,2026-10-01T00:00:00+00:00,1790899200,2026-10-02T00:00:00+00:00,0.75,usd,"gpt-5-mini-2026-01-01, output",org,p',
    ].join('\n');
    assert.deepEqual(readInvoice(csv, null), {
      format: 'openai',
      roundedRows: 0,
      lines: [{ day: '2026-10-01', model: 'gpt-5-mini-2026-01-01', picoUsd: 2n * USD }],
    });
    const epoch = 'start_time,amount_value,line_item\n1790812800,1,gpt-5';
    assert.equal(readInvoice(epoch, 'openai').lines[0]?.day, '2026-10-01');
  });

  it("reads Anthropic's shape and a plain one", () => {
    const csv =
      'usage_date_utc,model,workspace,api_key,usage_type,context_window,token_type,cost_usd\n2026-10-01,claude-sonnet-5,Default,k,standard,≤ 200k,input_no_cache,0.1234567890123456\n';
    assert.deepEqual(readInvoice(csv, null), {
      format: 'anthropic',
      roundedRows: 1,
      lines: [{ day: '2026-10-01', model: 'claude-sonnet-5', picoUsd: 123_456_789_012n }],
    });
    const plain = 'Date,Model,Cost_USD\r\n2026-10-02,a,1\r\n2026-10-02,A,2\r\n';
    assert.deepEqual(readInvoice(plain, null).lines, [{ day: '2026-10-02', model: 'a', picoUsd: 3n * USD }]);
  });

  it('skips nothing: what cannot be read is named with its row', () => {
    for (const [csv, message] of [
      ['day,model,cost\n', /no rows/],
      ['when,model,cost\n2026-10-01,a,1', /No column is named day/],
      ['day,model,cost\n2026-10-01,a,1\nTotal,,1', /Row 3: "Total" is not a day/],
      ['day,model,cost\n2026-13-01,a,1', /Row 2/],
      ['day,model,cost\n2026-10-01,a,n/a', /Row 2: "n\/a" is not an amount/],
      ['day,model,cost,currency\n2026-10-01,a,1,EUR', /"EUR" is not USD/],
      ['day;model;cost\n2026-10-01;a;1', /separated by commas/],
      ['day,model,cost\n2026-10-01,m\uFFFDdel,1', /not UTF-8/],
      ['PK\u0003\u0004\0\0', /not UTF-8/],
      [`day,model,cost\n2026-10-01,${'m'.repeat(300)},1`, /Row 2: the model has 300 characters/],
    ] as const)
      assert.throws(
        () => readInvoice(csv, null),
        (thrown: Error) => message.test(thrown.message),
        csv,
      );
  });

  it('takes names of every kind as data', () => {
    const { lines } = readInvoice('day,model,cost\n2026-10-01,__proto__,1\n2026-10-01,constructor,2\n2026-10-01,=cmd(),3\n', null);
    assert.deepEqual(
      lines.map(({ model, picoUsd }) => [model, picoUsd]),
      [
        ['=cmd()', 3n * USD],
        ['__proto__', USD],
        ['constructor', 2n * USD],
      ],
    );
    const csv = reconciliationCsv(reconcile(lines, []));
    assert.match(csv, /^2026-10-01,'=cmd\(\),3,0,3,100\.0000,not_through_here,0,0\r$/m);
    assert.equal(parseCsv(csv).length, 4);
  });

  it('knows versions of one model', () => {
    for (const name of ['gpt-5-mini-2026-01-01', 'GPT-5-mini', 'gpt-5-mini-20260101', 'gpt-5-mini-latest'])
      assert.equal(modelFamily(name), 'gpt-5-mini');
    assert.equal(modelFamily('o3'), 'o3');
  });
});

function has(day: string, model: string, usd: bigint, changes: Partial<ModelDay> = {}): ModelDay {
  return { day, model, costPicoUsd: usd * USD, estimatedPicoUsd: 0n, unpricedAttempts: 0, ...changes };
}

describe('reconciliation', () => {
  const charged = (day: string, model: string, usd: bigint) => ({ day, model, picoUsd: usd * USD });

  it('names each gap', () => {
    const { total, models, byReason } = reconcile(
      [
        charged('d1', 'equal-2026-01-01', 10n),
        charged('d1', 'elsewhere', 5n),
        charged('d1', 'unpriced', 7n),
        charged('d1', 'estimated', 20n),
        charged('d1', 'odd', 9n),
      ],
      [
        has('d1', 'equal', 10n),
        has('d1', 'ours', 3n),
        has('d1', 'unpriced', 4n, { unpricedAttempts: 2 }),
        has('d1', 'estimated', 19n, { estimatedPicoUsd: 6n * USD }),
        has('d1', 'odd', 8n),
      ],
    );
    assert.deepEqual(Object.fromEntries(models.map(({ model, reason }) => [model, reason])), {
      equal: 'none',
      elsewhere: 'not_through_here',
      ours: 'not_on_invoice',
      unpriced: 'unpriced_here',
      estimated: 'estimated_here',
      odd: 'unexplained',
    });
    assert.deepEqual(
      [total.invoicePicoUsd, total.ledgerPicoUsd, total.gapPicoUsd, total.gapRatio],
      [`${51n * USD}`, `${44n * USD}`, `${7n * USD}`, 0.137254],
    );
    assert.equal(byReason.find(({ reason }) => reason === 'unexplained')?.gapPicoUsd, `${USD}`);
  });

  it('adds up in every direction, to the pico-dollar', () => {
    const day = fc.constantFrom('d1', 'd2', 'd3');
    const model = fc.constantFrom('a', 'b-2026-01-01', 'b', 'c');
    const amount = fc.bigInt(-(10n ** 15n), 10n ** 18n);
    fc.assert(
      fc.property(
        fc.array(fc.record({ day, model, picoUsd: amount }), { maxLength: 12 }),
        fc.array(fc.record({ day, model, costPicoUsd: amount, estimatedPicoUsd: fc.bigInt(0n, 10n ** 12n), unpricedAttempts: fc.nat(3) }), {
          maxLength: 12,
        }),
        (invoice, ledger) => {
          const { total, models, days, byReason, lines } = reconcile(invoice, ledger);
          const gap = invoice.reduce((sum, line) => sum + line.picoUsd, 0n) - ledger.reduce((sum, line) => sum + line.costPicoUsd, 0n);
          assert.equal(BigInt(total.gapPicoUsd), gap);
          for (const part of [models, days, byReason, lines])
            assert.equal(
              part.reduce((sum, line) => sum + BigInt(line.gapPicoUsd), 0n),
              gap,
            );
        },
      ),
    );
  });
});
