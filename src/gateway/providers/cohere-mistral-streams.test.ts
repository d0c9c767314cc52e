import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { addUp, assertSameWhereverCut, chunksOf, factsOf, fixture, fixtureNames, jsonFixture, sseSteps } from '../hub/testing.ts';
import type { AnswerTranslation, ProviderAdapter } from '../provider.ts';
import cohere from './cohere.ts';
import mistral from './mistral.ts';

const OPTIONS = { requestedModel: 'alias', createdSeconds: 1_700_000_000, includeUsage: true, answerId: 'chatcmpl-1' };

function answersOf(adapter: ProviderAdapter): AnswerTranslation {
  const answers = adapter.chat[0]?.answers;
  assert.ok(answers);
  return answers;
}

for (const adapter of [cohere, mistral]) {
  const answers = answersOf(adapter);
  const steps = (pieces: readonly Buffer[], options = OPTIONS) => sseSteps(answers.createStreamDecoder(options), pieces);
  const first = (...events: string[]) =>
    steps([Buffer.from(events.map((data) => `data: ${data}\n\n`).join(''))]).find((step) => step.error !== null)?.error;

  describe(`${adapter.kind} stream → OpenAI chunks`, () => {
    for (const name of fixtureNames(adapter.kind)) {
      const bytes = fixture(adapter.kind, `${name}.sse`);

      it(`${name}: adds up to what the JSON answer decodes to`, () => {
        const found = steps([bytes]);
        const { completion, facts } = answers.decodeResponse(
          jsonFixture(adapter.kind, name),
          'alias',
          OPTIONS.createdSeconds,
          'chatcmpl-1',
        );
        assert.deepEqual(addUp(chunksOf(found)), completion);
        assert.equal(found.filter((step) => step.isDone).length, 1);
        assert.ok(found.every((step) => step.error === null));
        const rest = { outputCharacters: null };
        assert.deepEqual({ ...factsOf(found), ...rest }, { ...facts, ...rest });
      });

      it(`${name}: gives the same steps wherever the bytes are cut`, () => {
        assertSameWhereverCut(bytes, (pieces) => steps(pieces));
      });

      it(`${name}: is an error, never an answer, when the stream ends early`, () => {
        const text = bytes.toString();
        const ends = [...text.matchAll(/\n\n/g)].map((match) => match.index + 2).slice(0, adapter === mistral ? -2 : -1);
        for (const at of [0, ...ends]) {
          const found = steps([Buffer.from(text.slice(0, at))]);
          assert.equal(found.at(-1)?.error?.code, 'provider_stream_cut', `cut at ${at}`);
          assert.ok(chunksOf(found).every((chunk) => chunk.choices.every((choice) => choice.finish_reason === null)));
        }
      });
    }

    it('sends usage only to who asked, and reports it to the gateway always', () => {
      const found = steps([fixture(adapter.kind, 'text.sse')], { ...OPTIONS, includeUsage: false });
      assert.ok(chunksOf(found).every((chunk) => chunk.usage === undefined));
      assert.equal((factsOf(found).usage as { outputTextTokens: number }).outputTextTokens, 31);
    });

    it('refuses what is not a stream of its events', () => {
      assert.equal(first('no json')?.code, 'provider_bad_response');
      assert.equal(first('[]')?.code, 'provider_bad_response');
      assert.equal(first('[DONE]')?.code, 'provider_stream_cut');
    });
  });
}

describe('failures that Cohere’s and Mistral’s answers tell of themselves', () => {
  const failures = (adapter: typeof cohere, ...events: unknown[]) =>
    sseSteps(answersOf(adapter).createStreamDecoder(OPTIONS), [
      Buffer.from(events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')),
    ]).flatMap((step) => (step.error === null ? [] : [step.error]));

  it('are errors in streams', () => {
    assert.deepEqual(failures(cohere, { type: 'message-end', delta: { finish_reason: 'ERROR', error: 'worker lost' } }), [
      { code: 'provider_unavailable', message: "Cohere's answer ended with ERROR: worker lost" },
    ]);
    assert.equal(failures(cohere, { type: 'message-end', delta: { finish_reason: 'TIMEOUT' } })[0]?.code, 'provider_timeout');
    assert.equal(failures(cohere, { type: 'message-end', delta: {} })[0]?.code, 'provider_stream_cut');
    assert.equal(
      failures(mistral, { object: 'error', message: 'Rate limit exceeded', type: 'rate_limit_error', code: null })[0]?.code,
      'provider_rate_limited',
    );
    assert.equal(failures(mistral, { choices: [{ index: 0, delta: {}, finish_reason: 'error' }] })[0]?.code, 'provider_bad_response');
  });

  it('are errors in JSON', () => {
    const code = (adapter: typeof cohere, body: unknown) => {
      try {
        answersOf(adapter).decodeResponse(body, '', 0);
        return null;
      } catch (thrown) {
        return (thrown as { code: string }).code;
      }
    };
    assert.equal(code(cohere, { message: { content: [] }, finish_reason: 'ERROR' }), 'provider_unavailable');
    assert.equal(code(cohere, { message: null }), 'provider_bad_response');
    assert.equal(code(mistral, { choices: [{ message: { content: '' }, finish_reason: 'error' }] }), 'provider_bad_response');
    assert.equal(code(mistral, { choices: [] }), 'provider_bad_response');
  });
});
