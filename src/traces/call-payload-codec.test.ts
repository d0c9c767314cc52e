import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { PlimsollError } from '../kernel/errors.ts';
import { type CallPayloadMeta, decodeCallPayload, encodeCallPayload } from './call-payload-codec.ts';

const META: CallPayloadMeta = {
  callId: '0199a000-0000-7000-8000-000000000001',
  traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: 'b7ad6b7169203331',
  organisationId: 'default',
  environment: 'produçtion',
  startedAtMs: 1_760_000_000_000,
  policy: 'full',
  isTruncated: false,
};
const INPUT = '{"messages":[{"role":"user","content":"é😀 \\"quoted\\""}]}';
const OUTPUT = '[{"role":"assistant","content":"ja"}]';

/** As they lie in journals of released versions: never change these. */
const FIXTURE_V1 = JSON.stringify({ ...META, input: INPUT, output: OUTPUT });
const FIXTURE_V2 =
  '12010000' +
  Buffer.from(
    `{"callId":"0199a000-0000-7000-8000-000000000001","traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331","organisationId":"default","environment":"produçtion","startedAtMs":1760000000000,"policy":"full","isTruncated":false,"inputBytes":60,"outputBytes":37}${INPUT}${OUTPUT}`,
  ).toString('hex');

describe('payload records', () => {
  it('of version 1 and of version 2 are read alike', () => {
    const expected = { ...META, input: INPUT, output: OUTPUT };
    assert.deepEqual(decodeCallPayload({ schemaVersion: 1, payload: Buffer.from(FIXTURE_V1) }), expected);
    assert.deepEqual(decodeCallPayload({ schemaVersion: 2, payload: Buffer.from(FIXTURE_V2, 'hex') }), expected);
    assert.equal(Buffer.concat(encodeCallPayload(META, Buffer.from(INPUT), Buffer.from(OUTPUT))).toString('hex'), FIXTURE_V2);
  });

  it('give back any texts', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 200 });
    fc.assert(
      fc.property(text, fc.option(text), text, fc.boolean(), (input, output, environment, isTruncated) => {
        const meta = { ...META, environment, isTruncated };
        const parts = encodeCallPayload(meta, Buffer.from(input), output === null ? null : Buffer.from(output));
        assert.deepEqual(decodeCallPayload({ schemaVersion: 2, payload: Buffer.concat(parts) }), { ...meta, input, output });
      }),
      { numRuns: 200 },
    );
  });

  it('that are cut anywhere, or of a later version, are refused and not guessed at', () => {
    const payload = Buffer.from(FIXTURE_V2, 'hex');
    for (let end = 0; end < payload.length; end++)
      assert.throws(() => decodeCallPayload({ schemaVersion: 2, payload: payload.subarray(0, end) }), PlimsollError, `cut at ${end}`);
    assert.throws(() => decodeCallPayload({ schemaVersion: 3, payload }), /version 3/);
  });
});
