import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { growthOfFourfold } from '../../kernel/testing.ts';
import { scanChatBody } from '../body/chat-body.ts';
import { JsonScanner } from '../body/json-scanner.ts';
import { ATTACHMENT_TOKENS, askedAnswers, askedOutputTokens, estimateInputTokens, namesOutputTokens } from './estimate.ts';

const bytesOf = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const bodyOf = (rest: Record<string, unknown>) => scanChatBody(bytesOf({ model: 'm', messages: [], ...rest }), new JsonScanner(32));
const picture = Buffer.alloc(60_000, 7).toString('base64');

describe('estimate of a request', () => {
  it('counts text by its length', () => {
    const bytes = bytesOf({ messages: [{ role: 'user', content: 'word '.repeat(4_000) }] });
    assert.equal(estimateInputTokens(bytes), Math.ceil(bytes.length / 4));
    const dense = bytesOf({ content: '水'.repeat(2_000) });
    assert.equal(estimateInputTokens(dense), Math.ceil(dense.length / 4));
  });

  it('counts an attachment at a flat number, whatever the dialect and wherever it is', () => {
    const forms: unknown[] = [
      { type: 'image_url', image_url: { url: `data:image/png;base64,${picture}` } },
      { type: 'image', source: { type: 'base64', media_type: 'image/png', data: picture } },
      { inline_data: { mime_type: 'image/png', data: picture } },
      { type: 'image_url', image_url: { url: 'https://example.com/cat.png' } },
      { type: 'input_image', image_url: 'https://example.com/cat.png' },
      { fileData: { fileUri: 'gs://bucket/cat.png' } },
    ];
    for (const form of forms) {
      const tokens = estimateInputTokens(bytesOf({ content: [form] }));
      assert.equal(estimateInputTokens(bytesOf({ path: 'C:\\', more: '"', content: [form] })) - tokens < 20, true);
      assert.ok(tokens >= ATTACHMENT_TOKENS && tokens < ATTACHMENT_TOKENS + 60, `${JSON.stringify(form).slice(0, 60)}: ${tokens}`);
    }
  });

  it('does not take names in a text for attachments', () => {
    const bytes = bytesOf({ content: 'the member {"image_url":1} and "fileUri"' });
    assert.equal(estimateInputTokens(bytes), Math.ceil(bytes.length / 4));
  });

  it('is linear in the bytes, whatever they are', () => {
    const hostile: [size: number, text: (size: number) => string][] = [
      [50_000, (size) => `"${'\\"'.repeat(size)}"`],
      [40, (size) => `["${'a'.repeat(2_100)}",`.repeat(size)],
      [10_000, (size) => '"image_url"'.repeat(size)],
    ];
    for (const [size, text] of hostile) {
      const bodies = new Map([size, 4 * size].map((count) => [count, Buffer.from(text(count))]));
      const growth = growthOfFourfold(size, (count) => estimateInputTokens(bodies.get(count) as Buffer));
      assert.ok(growth < 9, `${text(1).slice(0, 20)}: ${growth} times the CPU for four times the bytes`);
    }
    fc.assert(fc.property(fc.json(), (json) => estimateInputTokens(Buffer.from(json)) >= 0));
  });

  it('reads how much output is asked for', () => {
    assert.equal(askedOutputTokens(bodyOf({})), null);
    assert.equal(askedOutputTokens(bodyOf({ max_tokens: 10, max_completion_tokens: 20 })), 20);
    assert.equal(askedOutputTokens(bodyOf({ max_tokens: null })), null);
    assert.equal(askedOutputTokens(bodyOf({ max_tokens: -5 })), null);
    assert.ok(namesOutputTokens(bodyOf({ max_tokens: null })));
    assert.ok(!namesOutputTokens(bodyOf({})));
    assert.equal(askedAnswers(bodyOf({})), 1);
    assert.equal(askedAnswers(bodyOf({ n: 3 })), 3);
    assert.equal(askedAnswers(bodyOf({ n: 1e9 })), 1_000);
  });
});
