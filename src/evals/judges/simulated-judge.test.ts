import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { SimulatedProviders } from '../../sim/provider-server.ts';
import { see, startSim } from '../../sim/testing.ts';
import type { JudgeReply, ScoringTools } from '../scorer.ts';
import llmRubric from '../scorers/llm-rubric.ts';
import moderation from '../scorers/moderation.ts';
import similar from '../scorers/similar.ts';
import { SUBJECT } from './testing.ts';

/** Scoring tools over a provider's own wire. @param form what the judge's replies are held to; null = it just chats */
function toolsOver(port: number, form: object | null): ScoringTools & { calls: number } {
  const post = async (path: string, body: object): Promise<unknown> => {
    const answer = await see(port, `/openai/v1/${path}`, { method: 'POST', body, headers: { authorization: 'Bearer sim' } });
    assert.equal(answer.status, 200, answer.text);
    return JSON.parse(answer.text);
  };
  return {
    calls: 0,
    async judge({ messages }): Promise<JudgeReply> {
      this.calls++;
      const { choices } = (await post('chat/completions', {
        model: 'sim-small',
        messages,
        ...(form === null ? {} : { response_format: { type: 'json_schema', json_schema: { name: 'verdict', schema: form } } }),
      })) as { choices: { message: { content: string } }[] };
      return { text: choices[0]?.message.content ?? '', tokens: null, model: 'sim-small', costUsd: null };
    },
    async embed(input) {
      const { data } = (await post('embeddings', { model: 'sim-small', input })) as { data: { embedding: number[] }[] };
      return data.map(({ embedding }) => embedding);
    },
    async moderate(input) {
      const { results } = (await post('moderations', { input })) as {
        results: { flagged: boolean; categories: Record<string, boolean> }[];
      };
      return {
        isFlagged: results[0]?.flagged ?? false,
        categories: Object.keys(results[0]?.categories ?? {}).filter((name) => results[0]?.categories[name]),
      };
    },
  };
}

describe('scorers over a simulated provider', () => {
  let sim: SimulatedProviders;
  before(async () => {
    sim = await startSim();
  });
  after(() => sim.close());

  it('a judge that keeps to the form gives a score', async () => {
    const form = {
      type: 'object',
      properties: { pass: { type: 'boolean' }, score: { type: 'number', minimum: 0, maximum: 1 }, reason: { type: 'string' } },
      required: ['pass', 'score', 'reason'],
    };
    const result = await llmRubric.score(SUBJECT, llmRubric.options.parse({ value: 'Names a date.' }), toolsOver(sim.port, form));
    assert.ok(result.state === 'measured' && Number.isFinite(result.value) && result.reason.length > 0, JSON.stringify(result));
  });

  it('a judge that only chats is a failed score after three questions, never 0', async () => {
    const tools = toolsOver(sim.port, null);
    const result = await llmRubric.score(SUBJECT, llmRubric.options.parse({ value: 'Names a date.' }), tools);
    assert.deepEqual([result.state, tools.calls], ['failed', 3], JSON.stringify(result));
  });

  it('embeddings and moderation', async () => {
    const tools = toolsOver(sim.port, null);
    const likeness = async (value: string): Promise<number> => {
      const result = await similar.score(SUBJECT, similar.options.parse({ value }), tools);
      return result.state === 'measured' ? result.value : Number.NaN;
    };
    assert.ok(Math.abs((await likeness(SUBJECT.output)) - 1) < 1e-6);
    assert.ok((await likeness(SUBJECT.reference ?? '')) > (await likeness('Cancel my subscription, please.')));
    assert.equal((await moderation.score(SUBJECT, {}, tools)).state, 'measured');
  });
});
