import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createAnswerIndex } from '../answers.ts';
import { countInputTokens, type PlannedAnswer, planAnswer } from '../completion.ts';
import { BUILT_IN_PROFILES, DEFAULT_PROFILE } from '../config.ts';
import { CORPUS_FEATURES } from '../corpus/features.ts';
import { createEndpoints } from '../endpoints.ts';
import { alterEvents } from '../event-faults.ts';
import { FAULT_NAMES, FAULTS, parseFault } from '../faults.ts';
import type { GenerateCall, ReplyStamp } from '../wire.ts';

const INDEX = createAnswerIndex(CORPUS_FEATURES);
const STAMP: ReplyStamp = { id: 'abc', createdSeconds: 1, seed: 1, systemFingerprint: 'fp' };
const SIGNED = {
  authorization: `AWS4-HMAC-SHA256 Credential=AKID/20260101/eu-west-1/bedrock/aws4_request, SignedHeaders=host;x-amz-date, Signature=${'a'.repeat(64)}`,
  'x-amz-date': '20260101T000000Z',
};
const SCHEMA = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
const NAME = 'get_weather';

interface Ask {
  readonly question: string;
  readonly hasTools: boolean;
  readonly thinks: boolean;
  readonly limit: number;
}

/** The same question in every dialect. */
const FORMATS: Record<string, (ask: Ask) => { readonly path: string; readonly body: unknown }> = {
  'openai chat': ({ question, hasTools, limit }) => ({
    path: '/v1/chat/completions',
    body: {
      model: 'm',
      stream: true,
      max_completion_tokens: limit,
      stream_options: { include_usage: true },
      n: 1 + (limit % 3),
      messages: [{ role: 'user', content: question }],
      ...(hasTools ? { tools: [{ type: 'function', function: { name: NAME, parameters: SCHEMA } }] } : {}),
    },
  }),
  'openai responses': ({ question, hasTools, limit }) => ({
    path: '/v1/responses',
    body: {
      model: 'm',
      stream: true,
      max_output_tokens: limit,
      reasoning: { summary: 'auto' },
      input: question,
      ...(hasTools ? { tools: [{ type: 'function', name: NAME, parameters: SCHEMA }] } : {}),
    },
  }),
  'anthropic messages': ({ question, hasTools, thinks, limit }) => ({
    path: '/v1/messages',
    body: {
      model: 'm',
      stream: true,
      max_tokens: limit + 2_000,
      messages: [{ role: 'user', content: question }],
      ...(thinks ? { thinking: { type: 'enabled', budget_tokens: 1_024 } } : {}),
      ...(hasTools ? { tools: [{ name: NAME, input_schema: SCHEMA }] } : {}),
    },
  }),
  gemini: ({ question, hasTools, thinks, limit }) => ({
    path: '/v1beta/models/m:streamGenerateContent',
    body: {
      contents: [{ role: 'user', parts: [{ text: question }] }],
      generationConfig: { maxOutputTokens: limit, candidateCount: 1 + (limit % 2), thinkingConfig: { includeThoughts: thinks } },
      ...(hasTools ? { tools: [{ functionDeclarations: [{ name: NAME, parametersJsonSchema: SCHEMA }] }] } : {}),
    },
  }),
  cohere: ({ question, hasTools, thinks, limit }) => ({
    path: '/v2/chat',
    body: {
      model: 'm',
      stream: true,
      max_tokens: limit,
      messages: [{ role: 'user', content: question }],
      ...(thinks ? { thinking: { type: 'enabled' } } : {}),
      ...(hasTools ? { tools: [{ type: 'function', function: { name: NAME, parameters: SCHEMA } }] } : {}),
    },
  }),
  bedrock: ({ question, hasTools, thinks, limit }) => ({
    path: '/model/m/converse-stream',
    body: {
      messages: [{ role: 'user', content: [{ text: question }] }],
      inferenceConfig: { maxTokens: limit },
      ...(thinks ? { additionalModelRequestFields: { thinking: { type: 'enabled' } } } : {}),
      ...(hasTools ? { toolConfig: { tools: [{ toolSpec: { name: NAME, inputSchema: { json: SCHEMA } } }] } } : {}),
    },
  }),
};

const QUESTIONS = [
  ...CORPUS_FEATURES.flatMap(({ conversations }) => conversations.map(({ turns }) => turns[0].question)),
  'What is the weather in Lisbon and Porto?',
  'What is the weather in Kiel?',
];
const ASK: fc.Arbitrary<Ask> = fc.record({
  question: fc.oneof(
    fc.constantFrom(...QUESTIONS),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 80 }).filter((text) => text.trim() !== ''),
  ),
  hasTools: fc.boolean(),
  thinks: fc.boolean(),
  limit: fc.integer({ min: 16, max: 900 }),
});

async function callOf(format: string, ask: Ask): Promise<GenerateCall> {
  const built = FORMATS[format]?.(ask);
  assert.ok(built);
  const found = createEndpoints().find('POST', built.path, {});
  assert.ok(found.endpoint !== 'unknown' && found.endpoint !== null);
  const outcome = await found.endpoint.handle({
    groups: found.groups,
    headers: SIGNED,
    query: new URLSearchParams(),
    body: built.body,
    models: [],
  });
  assert.equal(outcome.kind, 'generate', JSON.stringify(outcome));
  assert.ok(outcome.kind === 'generate');
  return outcome;
}

function planOf({ request }: GenerateCall, thinks: boolean): PlannedAnswer {
  const profile = thinks ? (BUILT_IN_PROFILES['sim-reasoner'] ?? DEFAULT_PROFILE) : DEFAULT_PROFILE;
  return planAnswer({ request, profile, index: INDEX, seed: 3, outcome: null });
}

describe('every wire format', () => {
  for (const format of Object.keys(FORMATS)) {
    it(`${format}: a stream counts what was generated up to each event, and ends with the whole`, async () => {
      await fc.assert(
        fc.asyncProperty(ASK, async (ask) => {
          const call = await callOf(format, ask);
          const plan = planOf(call, ask.thinks);
          const events = call.renderEvents(plan, STAMP);
          assert.ok(events.length > 0);
          let previous = { generatedTokens: 0, offsetMs: 0 };
          for (const event of events) {
            assert.ok(event.generatedTokens >= previous.generatedTokens && event.offsetMs >= previous.offsetMs);
            previous = event;
          }
          assert.equal(previous.generatedTokens, plan.usage.outputTokens);
          assert.deepEqual(call.renderEvents(plan, STAMP), events);
        }),
        { numRuns: 60 },
      );
    });

    it(`${format}: faults leave JSON in every event that they do not break`, async () => {
      const names = FAULT_NAMES.filter((name) => FAULTS[name].reach === 'request' && name !== 'malformed_json');
      await fc.assert(
        fc.asyncProperty(ASK, fc.constantFrom(...names), async (ask, name) => {
          const call = await callOf(format, ask);
          const plan = planOf(call, ask.thinks);
          const fault = parseFault(
            `${name}${name.endsWith('_after') ? '=3' : name === 'error' ? ':500' : name.startsWith('slow') ? '=1' : ''}`,
          );
          const events = alterEvents(call.renderEvents(plan, STAMP), [fault], { event: 'error', data: '{"error":{}}' });
          assert.ok(events.length > 0);
          for (const { data } of events) if (data !== '[DONE]') assert.equal(typeof JSON.parse(data), 'object');
          const text = events.map(({ data }) => data).join('\n');
          if (name === 'no_usage') assert.doesNotMatch(text, /"(usage|usageMetadata)":\{/);
          if (name === 'no_finish_reason')
            assert.doesNotMatch(text, /"(finish_?reason|stop_?reason)":"|"type":"response\.(completed|incomplete)"/i);
        }),
        { numRuns: 60 },
      );
    });
  }

  it('counts the same input for the same words, give or take what a dialect adds', async () => {
    const ask = { question: QUESTIONS[0] ?? '', hasTools: false, thinks: false, limit: 100 };
    const counts = await Promise.all(Object.keys(FORMATS).map(async (format) => countInputTokens((await callOf(format, ask)).request)));
    assert.deepEqual(new Set(counts).size, 1, counts.join());
  });
});
