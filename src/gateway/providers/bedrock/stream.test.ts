import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { addUp, assertSameWhereverCut, chunksOf, factsOf, fixtureNames, jsonFixture } from '../../hub/testing.ts';
import { decodeAnswer } from './answer.ts';
import { BedrockStreamDecoder } from './stream.ts';
import { eventFrame, exceptionFrame, fixtureFrames, frame, frameSteps } from './testing.ts';

const OPTIONS = { requestedModel: 'alias', createdSeconds: 1_700_000_000, includeUsage: true, answerId: 'chatcmpl-1' };
const steps = (pieces: readonly Buffer[]) => frameSteps(new BedrockStreamDecoder(OPTIONS), pieces) ?? assert.fail('not followed');

describe('Bedrock stream → OpenAI chunks', () => {
  for (const name of fixtureNames('bedrock')) {
    it(`${name}: adds up to what the JSON answer decodes to`, () => {
      const found = steps(fixtureFrames(name));
      const { completion, facts } = decodeAnswer(jsonFixture('bedrock', name), 'alias', OPTIONS.createdSeconds, 'chatcmpl-1');
      assert.deepEqual(addUp(chunksOf(found)), completion);
      assert.equal(found.filter((step) => step.isDone).length, 1);
      assert.ok(found.every((step) => step.error === null));
      const rest = { outputCharacters: null };
      assert.deepEqual({ ...factsOf(found), ...rest }, { ...facts, ...rest });
    });

    it(`${name}: gives the same steps wherever the frames are cut`, () => {
      assertSameWhereverCut(Buffer.concat(fixtureFrames(name)), (pieces) => steps(pieces));
    });

    it(`${name}: is an error, never an answer, when the stream ends before messageStop`, () => {
      const frames = fixtureFrames(name);
      for (let count = 0; count < frames.length - 2; count++) {
        const found = steps(frames.slice(0, count));
        assert.equal(found.at(-1)?.error?.code, 'provider_stream_cut', `after ${count} frames`);
        assert.ok(chunksOf(found).every((chunk) => chunk.choices.every((choice) => choice.finish_reason === null)));
      }
    });
  }

  it('is complete after messageStop, also when the usage never comes', () => {
    const found = steps(fixtureFrames('text').slice(0, -1));
    assert.equal(found.at(-1)?.isDone, true);
    assert.equal(factsOf(found).usage, null);
  });

  it('passes exceptions on and is silent afterwards', () => {
    const start = fixtureFrames('text').slice(0, 2);
    const codeOf = (last: Buffer) => steps([...start, last, ...fixtureFrames('text').slice(2)]).find((step) => step.error !== null)?.error;
    assert.deepEqual(codeOf(exceptionFrame('throttlingException', 'Too many requests')), {
      code: 'provider_rate_limited',
      message: 'Bedrock answered in the middle of its answer: Too many requests',
    });
    assert.equal(codeOf(exceptionFrame('modelStreamErrorException', 'x'))?.code, 'provider_unavailable');
    assert.equal(codeOf(exceptionFrame('validationException', 'Input is too long for requested model.'))?.code, 'context_length_exceeded');
    assert.equal(
      codeOf(frame({ ':message-type': 'error', ':error-code': 'InternalError', ':error-message': 'x' }, ''))?.code,
      'provider_unavailable',
    );
    assert.equal(codeOf(eventFrame('contentBlockDelta', 'no json'))?.code, 'provider_bad_response');
    assert.equal(codeOf(eventFrame('contentBlockDelta', '[]'))?.code, 'provider_bad_response');
  });

  it('skips events that it does not know', () => {
    const frames = fixtureFrames('text');
    const more = [frames[0], eventFrame('eventOfTomorrow', { a: 1 }), ...frames.slice(1)].filter((piece) => piece !== undefined);
    assert.deepEqual(addUp(chunksOf(steps(more))), addUp(chunksOf(steps(frames))));
  });
});
