import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { PlimsollError } from '../../kernel/errors.ts';
import { normaliseViewQuery, readTraceView, ViewPage } from './view-query.ts';

const refused = (param: RegExp) => (thrown: unknown) =>
  thrown instanceof PlimsollError && thrown.code === 'invalid_argument' && param.test(thrown.message);

describe('query of a saved view', () => {
  it('has one form, whatever the order and the encoding', () => {
    assert.equal(normaliseViewQuery('traces', '?status=error&feature=a%20b&range=7d'), 'feature=a+b&range=7d&status=error');
    assert.equal(normaliseViewQuery('traces', ''), '');
    assert.equal(normaliseViewQuery('users', 'sort=cost&q=ann'), 'q=ann&sort=cost');
  });

  it('refuses what the page has no filter for', () => {
    assert.throws(() => normaliseViewQuery('traces', 'featur=a'), refused(/did you mean "feature"/));
    assert.throws(() => normaliseViewQuery('traces', 'cursor=abc'), refused(/cursor/));
    assert.throws(() => normaliseViewQuery('sessions', 'status=error'), refused(/no filter of the page sessions/));
    assert.throws(() => normaliseViewQuery('traces', 'status=fine'), refused(/status/));
    assert.throws(() => normaliseViewQuery('traces', 'attribute=nothing'), refused(/name=value/));
    assert.throws(() => normaliseViewQuery('traces', 'status=ok&status=error'), refused(/twice/));
    assert.throws(() => normaliseViewQuery('traces', 'range=7d&from=1&to=2'), refused(/not both/));
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty'])
      assert.throws(() => normaliseViewQuery('traces', `${name}=1`), refused(/no filter/));
  });

  it('is read by the command line', () => {
    assert.deepEqual(readTraceView('attribute=a%3Db%3Dc&range=7d&status=error'), {
      filters: { attribute: 'a=b=c', status: 'error' },
      range: '7d',
    });
    assert.deepEqual(readTraceView('from=1&to=2'), { filters: { from: '1', to: '2' }, range: null });
  });

  it('either is refused as ours or comes out in the form that it keeps', () => {
    const value = fc.oneof(fc.constantFrom('ok', 'error', '7d', '1h', '12', 'a=b'), fc.string({ maxLength: 20, unit: 'binary' }));
    const name = fc.oneof(fc.constantFrom('feature', 'status', 'range', 'from', 'q', 'attribute', 'sort'), fc.string({ maxLength: 12 }));
    fc.assert(
      fc.property(fc.constantFrom(...ViewPage.options), fc.array(fc.tuple(name, value), { maxLength: 6 }), (page, pairs) => {
        let once: string;
        try {
          once = normaliseViewQuery(page, new URLSearchParams(pairs).toString());
        } catch (thrown) {
          assert.ok(thrown instanceof PlimsollError && thrown.code === 'invalid_argument');
          return;
        }
        assert.equal(normaliseViewQuery(page, once), once);
      }),
      { numRuns: 500 },
    );
  });
});
