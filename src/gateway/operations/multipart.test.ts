import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { PlimsollError } from '../../kernel/errors.ts';
import { scanMultipart } from './multipart.ts';

async function encode(form: FormData): Promise<{ bytes: Buffer; type: string }> {
  const response = new Response(form);
  return { bytes: Buffer.from(await response.arrayBuffer()), type: response.headers.get('content-type') ?? '' };
}

describe('multipart bodies', () => {
  it('are read as the platform writes them, whatever the parts hold', async () => {
    const field = fc.record({
      name: fc.string({ maxLength: 20 }).filter((name) => !['model', 'stream', 'user'].includes(name)),
      value: fc.uint8Array({ maxLength: 300 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(field, { maxLength: 6 }),
        fc.stringMatching(/^[a-z0-9-]{1,30}$/),
        fc.nat(6),
        async (fields, model, place) => {
          const form = new FormData();
          fields.forEach(({ name, value }, index) => {
            if (index === place) form.set('model', model);
            form.append(name, new Blob([value as Uint8Array<ArrayBuffer>]), 'file.bin');
          });
          if (!form.has('model')) form.set('model', model);
          const { bytes, type } = await encode(form);
          const body = scanMultipart(bytes, type);
          assert.equal(body.model, model);
          const slice = body.modelSlice ?? assert.fail('no slice');
          assert.equal(bytes.toString('utf8', slice.start, slice.end), model);
          assert.equal(body.isStream, false);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('never fail in another way than by saying what is wrong', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        '--b',
        '--b--',
        '\r\n',
        '\r\n\r\n',
        'content-disposition: form-data; name="model"',
        'content-disposition: form-data; name="',
        'small',
        '"',
        '\n',
        '-',
      ),
      fc.string({ maxLength: 12 }),
    );
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 30 }),
        fc.constantFrom('multipart/form-data; boundary=b', 'multipart/form-data; boundary="b"', 'x'),
        (pieces, type) => {
          try {
            const body = scanMultipart(Buffer.from(`--b${pieces.join('')}`), type);
            const slice = body.modelSlice ?? assert.fail('no slice');
            assert.ok(slice.start <= slice.end && slice.end <= body.bytes.length);
          } catch (thrown) {
            assert.ok(thrown instanceof PlimsollError && thrown.code === 'invalid_argument', String(thrown));
          }
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('read stream and user, and keep small fields for the trace but no file', async () => {
    const form = new FormData();
    form.set('file', new Blob([Buffer.alloc(5000)]), 'call.wav');
    form.set('model', 'whisper');
    form.set('stream', 'true');
    form.set('user', 'u-1');
    form.set('prompt', 'p'.repeat(2000));
    const { bytes, type } = await encode(form);
    const body = scanMultipart(bytes, type);
    assert.deepEqual([body.isStream, body.user], [true, 'u-1']);
    assert.deepEqual(JSON.parse(body.summary?.toString() ?? ''), [
      { file: { fileName: 'call.wav', bytes: 5000 } },
      { model: 'whisper' },
      { stream: 'true' },
      { user: 'u-1' },
      { prompt: { fileName: null, bytes: 2000 } },
    ]);
  });
});
