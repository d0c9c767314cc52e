import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { NO_USAGE } from '../models/usage.ts';
import { countOnce, type StoredSpan } from './count-once.ts';
import type { SpanKind } from './model.ts';
import type { SpanRow } from './store.ts';

const TRACE = 'a'.repeat(32);

/** A client's span, or a gateway's call. */
function span(id: string, parent: string | null, kind: SpanKind, over: { measured?: boolean } = {}): SpanRow {
  const isRequest = kind === 'llm' || kind === 'gateway' || kind === 'embedding';
  const measured = over.measured ?? isRequest;
  return {
    organisationId: 'default',
    environment: 'production',
    traceId: TRACE,
    spanId: id,
    parentSpanId: parent,
    callId: kind === 'gateway' ? `call-${id}` : null,
    isEntry: isRequest || parent === null,
    isRequest,
    startedAtNs: 0n,
    durationNs: 1n,
    name: id,
    kind,
    status: 'ok',
    statusMessage: '',
    errorType: null,
    httpStatus: null,
    feature: 'f',
    team: null,
    user: null,
    session: null,
    customer: null,
    tags: {},
    keyId: 'k',
    route: null,
    provider: null,
    requestedModel: null,
    requestModel: null,
    responseModel: null,
    responseId: null,
    finishReasons: [],
    models: [],
    providers: [],
    modelNames: [],
    usage: measured ? { ...NO_USAGE, inputUncachedTokens: 10 } : null,
    usageSource: null,
    costPicoUsd: measured ? 100n : null,
    costStatus: isRequest ? (measured ? 'priced' : 'unpriced') : null,
    priceId: null,
    ttftMs: null,
    interTokenMeanMs: null,
    interTokenMaxMs: null,
    attempts: isRequest ? 1 : 0,
    fallbackFrom: null,
    isStream: false,
    isSimulated: false,
    isRecovered: false,
    attributes: {},
  };
}

const stored = (row: SpanRow): StoredSpan => ({ ...row, isMeasured: row.kind === 'gateway' || row.usage !== null });
const requests = (rows: readonly SpanRow[]) => rows.filter(({ isRequest }) => isRequest).map(({ spanId }) => spanId);

describe('countOnce', () => {
  it("counts a gateway's call and not the client's span around it, whichever spans stand between", () => {
    const client = [span('root', null, 'agent'), span('chat', 'root', 'llm'), span('http', 'chat', 'span')];
    const call = span('gateway', 'http', 'gateway');
    for (const counted of [countOnce(client, [stored(call)]), countOnce([...client, call], [])]) {
      assert.deepEqual(
        requests(counted).filter((id) => id !== 'gateway'),
        [],
      );
      const chat = counted.find(({ spanId }) => spanId === 'chat');
      assert.equal(chat?.costPicoUsd, null);
      assert.equal(chat?.costStatus, null);
      assert.equal(chat?.usage?.inputUncachedTokens, 10, 'its own reading stays');
      assert.equal(chat?.attributes['plimsoll.counted_by'], 'gateway');
      assert.equal(chat?.attributes['plimsoll.cost.not_counted_pico_usd'], '100');
      assert.equal(counted.find(({ spanId }) => spanId === 'root')?.isEntry, true);
    }
  });

  it('counts the innermost of two instrumentations, and the outer one when only it is measured', () => {
    assert.deepEqual(requests(countOnce([span('outer', null, 'llm'), span('inner', 'outer', 'llm')], [])), ['inner']);
    assert.deepEqual(requests(countOnce([span('outer', null, 'llm')], [stored(span('inner', 'outer', 'llm'))])), []);
    assert.deepEqual(requests(countOnce([span('outer', null, 'llm'), span('inner', 'outer', 'llm', { measured: false })], [])), ['outer']);
  });

  it('counts siblings, other kinds and calls without a call inside', () => {
    const rows = [span('root', null, 'llm'), span('embed', 'root', 'embedding'), span('tool', 'root', 'tool')];
    assert.deepEqual(requests(countOnce(rows, [])), ['root', 'embed']);
    const two = [span('root', null, 'chain'), span('one', 'root', 'llm'), span('two', 'root', 'llm')];
    assert.deepEqual(requests(countOnce(two, [])), ['one', 'two']);
  });

  it('leaves no request inside another of its kind, in any tree, cycles included, and always counts one', () => {
    const tree = fc.array(
      fc.record({ parent: fc.nat(), kind: fc.constantFrom<SpanKind>('llm', 'agent', 'span', 'gateway'), isStored: fc.boolean() }),
      {
        minLength: 1,
        maxLength: 25,
      },
    );
    fc.assert(
      fc.property(tree, (nodes) => {
        const rows = nodes.map(({ parent, kind }, place) => span(`s${place}`, `s${parent % nodes.length}`, kind));
        const isStored = (place: number) => nodes[place]?.isStored === true;
        const counted = countOnce(
          rows.filter((_, place) => !isStored(place)),
          rows.filter((_, place) => isStored(place)).map(stored),
        );
        const byId = new Map(rows.map((row) => [row.spanId, row]));
        const isNew = new Set(counted.filter(({ isRequest }) => isRequest).map(({ spanId }) => spanId));
        for (const row of rows) {
          if (isInCycle(byId, row)) continue;
          const isCounted = isStored(rows.indexOf(row)) ? row.isRequest : isNew.has(row.spanId);
          // Whoever is counted has no counted model call of its kind around it, but for those that were stored before.
          for (
            let outer = byId.get(row.parentSpanId ?? '');
            isCounted && outer !== undefined && !isInCycle(byId, outer);
            outer = byId.get(outer.parentSpanId ?? '')
          )
            if (outer.kind === 'llm' && (row.kind === 'llm' || row.kind === 'gateway'))
              assert.ok(!isNew.has(outer.spanId), `${row.spanId} in ${outer.spanId}`);
        }
        const isAnyAcyclic = rows.some((row) => row.isRequest && !isInCycle(byId, row));
        assert.ok(!isAnyAcyclic || isNew.size > 0 || rows.some((row, place) => row.isRequest && isStored(place)), 'one counts');
      }),
      { numRuns: 300 },
    );
  });

  it('is linear in a chain of spans, however long', () => {
    const rows = Array.from({ length: 20_000 }, (_, place) => span(`s${place}`, place === 0 ? null : `s${place - 1}`, 'llm'));
    assert.deepEqual(requests(countOnce(rows, [])), ['s19999']);
  });
});

function isInCycle(byId: ReadonlyMap<string, SpanRow>, row: SpanRow): boolean {
  const seen = new Set<string>();
  for (let at = byId.get(row.parentSpanId ?? ''); at !== undefined && !seen.has(at.spanId); at = byId.get(at.parentSpanId ?? '')) {
    if (at === row) return true;
    seen.add(at.spanId);
  }
  return false;
}
