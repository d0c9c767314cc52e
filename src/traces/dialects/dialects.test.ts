import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { AttributeValue } from '../otlp/span.ts';
import { ALIASES } from './alias-table.ts';
import { DIALECTS } from './registry.ts';
import { json, readFixture, type SpanFixture, START_NS, tokens } from './testing.ts';

interface Expected {
  readonly dialect: string;
  readonly kind: string;
  readonly provider?: string;
  readonly model?: string;
  readonly tokens?: string;
  readonly rule?: string | null;
  readonly name?: string;
  readonly ttftMs?: number;
  readonly session?: string;
  readonly user?: string;
  readonly finishReasons?: readonly string[];
  readonly input?: unknown;
  readonly output?: unknown;
  readonly documents?: readonly unknown[];
  readonly scores?: readonly unknown[];
  readonly tags?: Readonly<Record<string, string>>;
  readonly reportedUsd?: string;
}

const TOOL_CALL = [{ id: 'c1', type: 'function', function: { name: 'find_order', arguments: '{"id":7}' } }];
const SCHEMA = { type: 'object', properties: { id: { type: 'number' } } };
const TOOL = { type: 'function', function: { name: 'find_order', parameters: SCHEMA } };
const ASKED = { role: 'user', content: 'Where is order 7?' };
const CALLED = { role: 'assistant', content: null, tool_calls: TOOL_CALL };

/** One row for each way in which a dialect tells of a span. */
const CASES: readonly (readonly [what: string, fixture: SpanFixture, expected: Expected])[] = [
  [
    'OpenTelemetry, present generation: parts, system instructions, tools, reasoning',
    {
      attributes: {
        'gen_ai.operation.name': 'chat',
        'gen_ai.provider.name': 'gcp.vertex_ai',
        'gen_ai.request.model': 'gemini-2.5-pro',
        'gen_ai.usage.input_tokens': 100,
        'gen_ai.usage.cache_read.input_tokens': 40,
        'gen_ai.usage.output_tokens': 30,
        'gen_ai.usage.reasoning.output_tokens': 10,
        'gen_ai.response.time_to_first_chunk': 0.25,
        'gen_ai.response.finish_reasons': ['stop'],
        'gen_ai.conversation.id': 's-1',
        'gen_ai.system_instructions': json([{ type: 'text', content: 'Be brief.' }]),
        'gen_ai.input.messages': json([
          { role: 'user', parts: [{ type: 'text', content: 'Where is order 7?' }] },
          { role: 'assistant', parts: [{ type: 'tool_call', id: 'c1', name: 'find_order', arguments: { id: 7 } }] },
          { role: 'tool', parts: [{ type: 'tool_call_response', id: 'c1', response: 'sent' }] },
        ]),
        'gen_ai.output.messages': json([
          {
            role: 'assistant',
            parts: [
              { type: 'reasoning', content: 'Hm.' },
              { type: 'text', content: 'It was sent.' },
            ],
            finish_reason: 'stop',
          },
        ]),
        'gen_ai.tool.definitions': json([{ type: 'function', name: 'find_order', parameters: SCHEMA }]),
      },
    },
    {
      dialect: 'opentelemetry',
      kind: 'llm',
      provider: 'google',
      model: 'gemini-2.5-pro',
      tokens: 'inputUncached=60 cacheRead=40 outputText=20 reasoning=10',
      rule: 'input inclusive, by dialect; output inclusive, by dialect',
      ttftMs: 250,
      session: 's-1',
      finishReasons: ['stop'],
      input: {
        messages: [{ role: 'system', content: 'Be brief.' }, ASKED, CALLED, { role: 'tool', content: 'sent', tool_call_id: 'c1' }],
        tools: [TOOL],
      },
      output: { messages: [{ role: 'assistant', content: 'It was sent.', reasoning_content: 'Hm.' }] },
    },
  ],
  [
    'OpenTelemetry, an event per message',
    {
      attributes: {
        'gen_ai.operation.name': 'chat',
        'gen_ai.system': 'openai',
        'gen_ai.request.model': 'gpt-4o',
        'gen_ai.usage.prompt_tokens': 9,
        'gen_ai.usage.completion_tokens': 3,
      },
      events: [
        { name: 'gen_ai.system.message', attributes: { content: 'Be brief.' } },
        { name: 'gen_ai.user.message', attributes: { 'gen_ai.event.content': json({ content: 'Where is order 7?' }) } },
        { name: 'gen_ai.choice', attributes: { 'gen_ai.event.content': json({ index: 0, message: { tool_calls: TOOL_CALL } }) } },
      ],
    },
    {
      dialect: 'opentelemetry',
      kind: 'llm',
      tokens: 'inputUncached=9 outputText=3',
      rule: null,
      input: { messages: [{ role: 'system', content: 'Be brief.' }, ASKED] },
      output: { messages: [CALLED] },
    },
  ],
  [
    'OpenTelemetry, first draft: two texts in events',
    {
      attributes: { 'gen_ai.operation.name': 'text_completion', 'gen_ai.system': 'openai', 'gen_ai.request.model': 'davinci-002' },
      events: [
        { name: 'gen_ai.content.prompt', attributes: { 'gen_ai.prompt': 'Hi' } },
        { name: 'gen_ai.content.completion', attributes: { 'gen_ai.completion': 'Ho' } },
      ],
    },
    {
      dialect: 'opentelemetry',
      kind: 'llm',
      tokens: '',
      input: { messages: [{ role: 'user', content: 'Hi' }] },
      output: { messages: [{ role: 'assistant', content: 'Ho' }] },
    },
  ],
  [
    'OpenTelemetry, one event with the details, and an evaluation',
    {
      attributes: { 'gen_ai.operation.name': 'chat', 'gen_ai.provider.name': 'openai', 'gen_ai.request.model': 'gpt-4o' },
      events: [
        {
          name: 'gen_ai.client.inference.operation.details',
          attributes: { 'gen_ai.input.messages': json([{ role: 'user', parts: [{ type: 'text', content: 'Where is order 7?' }] }]) },
        },
        { name: 'gen_ai.evaluation.result', attributes: { 'gen_ai.evaluation.name': 'relevance', 'gen_ai.evaluation.score.value': 0.8 } },
      ],
    },
    {
      dialect: 'opentelemetry',
      kind: 'llm',
      input: { messages: [ASKED] },
      scores: [{ name: 'relevance', value: 0.8, label: null, explanation: null }],
    },
  ],
  [
    'OpenTelemetry, retrieval',
    {
      attributes: {
        'gen_ai.operation.name': 'retrieval',
        'gen_ai.retrieval.query.text': 'returns',
        'gen_ai.retrieval.documents': json([{ id: 'd1', score: 0.9, content: 'Within 30 days.' }]),
      },
    },
    {
      dialect: 'opentelemetry',
      kind: 'retriever',
      input: 'returns',
      documents: [{ id: 'd1', content: 'Within 30 days.', score: 0.9, metadata: null }],
    },
  ],
  [
    'OpenInference, a call of a model',
    {
      scope: 'openinference.instrumentation.openai',
      attributes: {
        'openinference.span.kind': 'LLM',
        'llm.provider': 'anthropic',
        'llm.model_name': 'claude-sonnet-4-20250514',
        'llm.token_count.prompt': 100,
        'llm.token_count.completion': 20,
        'llm.token_count.total': 120,
        'llm.token_count.prompt_details.cache_read': 30,
        'llm.token_count.prompt_details.cache_write': 20,
        'llm.cost.total': 0.00125,
        'llm.input_messages.0.message.role': 'user',
        'llm.input_messages.0.message.contents.0.message_content.type': 'text',
        'llm.input_messages.0.message.contents.0.message_content.text': 'Where is order 7?',
        'llm.output_messages.0.message.role': 'assistant',
        'llm.output_messages.0.message.tool_calls.0.tool_call.id': 'c1',
        'llm.output_messages.0.message.tool_calls.0.tool_call.function.name': 'find_order',
        'llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments': '{"id":7}',
        'llm.tools.0.tool.json_schema': json(TOOL),
        'input.value': 'a copy',
        'session.id': 's-1',
        'user.id': 'u-1',
        'tag.tags': json(['beta']),
      },
      events: [{ name: 'First Token Stream Event', afterMs: 120 }],
    },
    {
      dialect: 'openinference',
      kind: 'llm',
      provider: 'anthropic',
      model: 'claude-sonnet-4-20250514',
      tokens: 'inputUncached=50 cacheRead=30 cacheWrite5m=20 outputText=20',
      rule: 'input inclusive, by dialect',
      ttftMs: 120,
      session: 's-1',
      user: 'u-1',
      tags: { beta: 'true' },
      reportedUsd: '1250000000',
      input: { messages: [ASKED], tools: [TOOL] },
      output: { messages: [CALLED] },
    },
  ],
  [
    'OpenInference, a retriever',
    {
      attributes: {
        'openinference.span.kind': 'RETRIEVER',
        'input.value': 'returns',
        'retrieval.documents.0.document.id': 'd1',
        'retrieval.documents.0.document.content': 'Within 30 days.',
        'retrieval.documents.0.document.score': 0.5,
        'retrieval.documents.0.document.metadata': json({ page: 3 }),
      },
    },
    {
      dialect: 'openinference',
      kind: 'retriever',
      input: 'returns',
      documents: [{ id: 'd1', content: 'Within 30 days.', score: 0.5, metadata: { page: 3 } }],
    },
  ],
  [
    'OpenLLMetry, a call of a model',
    {
      scope: '@traceloop/instrumentation-openai',
      attributes: {
        'gen_ai.system': 'OpenAI',
        'gen_ai.request.model': 'gpt-4o',
        'llm.request.type': 'chat',
        'gen_ai.prompt.0.role': 'user',
        'gen_ai.prompt.0.content': 'Where is order 7?',
        'gen_ai.completion.0.role': 'assistant',
        'gen_ai.completion.0.finish_reason': 'tool_calls',
        'gen_ai.completion.0.tool_calls.0.id': 'c1',
        'gen_ai.completion.0.tool_calls.0.name': 'find_order',
        'gen_ai.completion.0.tool_calls.0.arguments': '{"id":7}',
        'llm.request.functions.0.name': 'find_order',
        'llm.request.functions.0.parameters': json(SCHEMA),
        'gen_ai.usage.prompt_tokens': 50,
        'gen_ai.usage.completion_tokens': 10,
        'gen_ai.usage.cache_read_input_tokens': 20,
        'gen_ai.usage.reasoning_tokens': 4,
        'llm.usage.total_tokens': 60,
        'gen_ai.prompt.name': 'no message',
        'traceloop.association.properties.user_id': 'u-1',
        'traceloop.association.properties.tier': 'gold',
      },
      events: [
        { name: 'llm.content.completion.chunk', afterMs: 90 },
        { name: 'llm.content.completion.chunk', afterMs: 95 },
      ],
    },
    {
      dialect: 'traceloop',
      kind: 'llm',
      provider: 'openai',
      tokens: 'inputUncached=30 cacheRead=20 outputText=6 reasoning=4',
      ttftMs: 90,
      user: 'u-1',
      tags: { tier: 'gold' },
      finishReasons: ['tool_calls'],
      input: { messages: [ASKED], tools: [TOOL] },
      output: { messages: [CALLED] },
    },
  ],
  [
    'OpenLLMetry, a tool',
    {
      attributes: {
        'traceloop.span.kind': 'tool',
        'traceloop.entity.name': 'find_order',
        'traceloop.entity.input': json({ args: [7], kwargs: {} }),
        'traceloop.entity.output': '"sent"',
      },
    },
    { dialect: 'traceloop', kind: 'tool', name: 'find_order', input: { args: [7], kwargs: {} }, output: 'sent' },
  ],
  [
    'AI SDK before 7, a step',
    {
      name: 'ai.streamText.doStream',
      scope: 'ai',
      attributes: {
        'ai.operationId': 'ai.streamText.doStream',
        'ai.model.id': 'gpt-4o',
        'ai.model.provider': 'openai.chat',
        'ai.prompt.messages': json([{ role: 'user', content: [{ type: 'text', text: 'Where is order 7?' }] }]),
        'ai.prompt.tools': [json({ type: 'function', name: 'find_order', inputSchema: SCHEMA })],
        'ai.response.toolCalls': json([{ toolCallType: 'function', toolCallId: 'c1', toolName: 'find_order', args: '{"id":7}' }]),
        'ai.response.finishReason': 'tool-calls',
        'ai.response.msToFirstChunk': 33.5,
        'ai.usage.inputTokens': 10,
        'ai.usage.cachedInputTokens': 4,
        'ai.usage.outputTokens': 5,
        'ai.usage.reasoningTokens': 2,
        'ai.usage.totalTokens': 15,
        'ai.telemetry.metadata.userId': 'u-1',
        'ai.telemetry.metadata.plan': 'pro',
      },
    },
    {
      dialect: 'vercel-ai',
      kind: 'llm',
      provider: 'openai',
      model: 'gpt-4o',
      tokens: 'inputUncached=6 cacheRead=4 outputText=3 reasoning=2',
      ttftMs: 33.5,
      user: 'u-1',
      tags: { plan: 'pro' },
      finishReasons: ['tool_calls'],
      input: { messages: [ASKED], tools: [TOOL] },
      output: { messages: [CALLED] },
    },
  ],
  [
    'AI SDK 5 with Anthropic, whose counts leave out what was cached',
    {
      attributes: {
        'ai.operationId': 'ai.generateText.doGenerate',
        'ai.model.id': 'claude-sonnet-4-20250514',
        'ai.model.provider': 'anthropic.messages',
        'ai.response.text': 'It was sent.',
        'ai.usage.inputTokens': 10,
        'ai.usage.cachedInputTokens': 4,
        'ai.usage.outputTokens': 5,
      },
    },
    {
      dialect: 'vercel-ai',
      kind: 'llm',
      provider: 'anthropic',
      tokens: 'inputUncached=10 cacheRead=4 outputText=5',
      rule: 'input exclusive, by dialect',
      output: { messages: [{ role: 'assistant', content: 'It was sent.' }] },
    },
  ],
  [
    'AI SDK before 7, the operation around its steps',
    {
      name: 'ai.streamText',
      attributes: {
        'ai.operationId': 'ai.streamText',
        'ai.model.id': 'gpt-4o',
        'ai.usage.inputTokens': 10,
        'ai.prompt': json({ system: 'Be brief.', prompt: 'Where is order 7?' }),
      },
    },
    {
      dialect: 'vercel-ai',
      kind: 'chain',
      tokens: 'inputUncached=10',
      input: { messages: [{ role: 'system', content: 'Be brief.' }, ASKED] },
    },
  ],
  [
    'Langfuse, a generation: classes that do not overlap',
    {
      scope: 'langfuse-sdk',
      attributes: {
        'langfuse.observation.type': 'generation',
        'langfuse.observation.model.name': 'gpt-4o',
        'langfuse.observation.input': json([ASKED]),
        'langfuse.observation.output': json({ role: 'assistant', content: 'It was sent.' }),
        'langfuse.observation.usage_details': json({ input: 60, output: 20, cache_read_input_tokens: 40, total: 120 }),
        'langfuse.observation.cost_details': json({ total: 0.5 }),
        'langfuse.observation.completion_start_time': json(new Date(Number(START_NS / 1_000_000n) + 200).toISOString()),
        'langfuse.trace.tags': ['beta'],
        'session.id': 's-1',
        'user.id': 'u-1',
      },
    },
    {
      dialect: 'langfuse',
      kind: 'llm',
      provider: 'openai',
      tokens: 'inputUncached=60 cacheRead=40 outputText=20',
      rule: 'input exclusive, by the total',
      reportedUsd: '500000000000',
      ttftMs: 200,
      session: 's-1',
      user: 'u-1',
      tags: { beta: 'true' },
      input: { messages: [ASKED] },
      output: { messages: [{ role: 'assistant', content: 'It was sent.' }] },
    },
  ],
  [
    'Langfuse, usage in the form of OpenAI',
    {
      attributes: {
        'langfuse.observation.type': 'generation',
        'langfuse.observation.model.name': 'gpt-4o',
        'langfuse.observation.usage_details': json({
          prompt_tokens: 100,
          completion_tokens: 20,
          prompt_tokens_details: { cached_tokens: 40 },
          completion_tokens_details: { reasoning_tokens: 5 },
        }),
      },
    },
    { dialect: 'langfuse', kind: 'llm', tokens: 'inputUncached=60 cacheRead=40 outputText=15 reasoning=5' },
  ],
  [
    'OpenLIT with Anthropic: raw counts and an estimate of its own',
    {
      resource: { 'telemetry.sdk.name': 'openlit' },
      attributes: {
        'gen_ai.operation.name': 'chat',
        'gen_ai.system': 'anthropic',
        'gen_ai.request.model': 'claude-sonnet-4-20250514',
        'gen_ai.usage.input_tokens': 10,
        'gen_ai.usage.output_tokens': 5,
        'gen_ai.usage.cache_read_input_tokens': 100,
        'gen_ai.usage.cost': 0.01,
        'gen_ai.server.time_to_first_token': 0.5,
      },
    },
    {
      dialect: 'openlit',
      kind: 'llm',
      tokens: 'inputUncached=10 cacheRead=100 outputText=5',
      rule: 'input exclusive, by arithmetic',
      ttftMs: 500,
      reportedUsd: '10000000000',
    },
  ],
  [
    'Pydantic AI: events as JSON, details that are parts',
    {
      scope: 'pydantic-ai',
      name: 'chat gpt-4o',
      attributes: {
        'gen_ai.operation.name': 'chat',
        'gen_ai.system': 'openai',
        'gen_ai.request.model': 'gpt-4o',
        'gen_ai.usage.input_tokens': 100,
        'gen_ai.usage.output_tokens': 20,
        'gen_ai.usage.details.cached_tokens': 40,
        'gen_ai.usage.details.reasoning_tokens': 5,
        'gen_ai.usage.details.accepted_prediction_tokens': 3,
        events: json([
          { 'event.name': 'gen_ai.user.message', role: 'user', content: 'Where is order 7?' },
          { 'event.name': 'gen_ai.choice', index: 0, message: { role: 'assistant', tool_calls: TOOL_CALL } },
        ]),
      },
    },
    {
      dialect: 'pydantic-logfire',
      kind: 'llm',
      tokens: 'inputUncached=60 cacheRead=40 outputText=15 reasoning=5',
      input: { messages: [ASKED] },
      output: { messages: [CALLED] },
    },
  ],
  [
    'MLflow: JSON in every attribute',
    {
      attributes: {
        'mlflow.spanType': json('CHAT_MODEL'),
        'mlflow.spanInputs': json({ model: 'gpt-4o', messages: [ASKED], tools: [TOOL] }),
        'mlflow.spanOutputs': json({ choices: [{ index: 0, message: CALLED }] }),
        'mlflow.chat.tokenUsage': json({ input_tokens: 9, output_tokens: 3, total_tokens: 12 }),
        'mlflow.llm.model': json('gpt-4o'),
      },
    },
    {
      dialect: 'mlflow',
      kind: 'llm',
      tokens: 'inputUncached=9 outputText=3',
      input: { messages: [ASKED], tools: [TOOL] },
      output: { messages: [CALLED] },
    },
  ],
  [
    'LangSmith: a run of LangChain',
    {
      attributes: {
        'langsmith.span.kind': 'llm',
        'langsmith.metadata.ls_provider': 'openai',
        'langsmith.metadata.ls_model_name': 'gpt-4o',
        'langsmith.metadata.usage_metadata': json({
          input_tokens: 100,
          output_tokens: 20,
          total_tokens: 120,
          input_token_details: { cache_read: 40 },
          output_token_details: { reasoning: 5 },
        }),
        'gen_ai.prompt': json({
          messages: [
            [{ lc: 1, type: 'constructor', id: ['langchain', 'schema', 'HumanMessage'], kwargs: { content: 'Where is order 7?' } }],
          ],
        }),
        'gen_ai.completion': json({
          generations: [[{ text: 'It was sent.', message: { kwargs: { content: 'It was sent.' }, id: ['AIMessage'] } }]],
        }),
        'langsmith.metadata.thread_id': 's-1',
      },
    },
    {
      dialect: 'langsmith',
      kind: 'llm',
      provider: 'openai',
      model: 'gpt-4o',
      tokens: 'inputUncached=60 cacheRead=40 outputText=15 reasoning=5',
      session: 's-1',
      input: { messages: [ASKED] },
      output: { messages: [{ role: 'assistant', content: 'It was sent.' }] },
    },
  ],
  [
    'Braintrust: a span’s fields as JSON',
    {
      attributes: {
        'braintrust.span_attributes': json({ type: 'llm', name: 'chat' }),
        'braintrust.input_json': json([ASKED]),
        'braintrust.output_json': json([{ role: 'assistant', content: 'It was sent.' }]),
        'braintrust.metadata': json({ model: 'gpt-4o', provider: 'openai' }),
        'braintrust.metrics': json({
          prompt_tokens: 100,
          completion_tokens: 20,
          tokens: 120,
          prompt_cached_tokens: 40,
          time_to_first_token: 0.1,
        }),
        'braintrust.scores': json({ factuality: 0.6 }),
      },
    },
    {
      dialect: 'braintrust',
      kind: 'llm',
      provider: 'openai',
      tokens: 'inputUncached=60 cacheRead=40 outputText=20',
      ttftMs: 100,
      input: { messages: [ASKED] },
      output: { messages: [{ role: 'assistant', content: 'It was sent.' }] },
      scores: [{ name: 'factuality', value: 0.6, label: null, explanation: null }],
    },
  ],
  [
    'Weave',
    {
      attributes: {
        'wandb.display_name': 'answer',
        'wandb.thread_id': 's-1',
        'weave.span.kind': 'llm',
        'gen_ai.request.model': 'gpt-4o',
        'output.usage.prompt_tokens': 9,
        'output.usage.completion_tokens': 3,
        'input.value': json([ASKED]),
        'output.value': json({ choices: [{ message: CALLED }] }),
      },
    },
    {
      dialect: 'weave',
      kind: 'llm',
      name: 'answer',
      session: 's-1',
      tokens: 'inputUncached=9 outputText=3',
      input: { messages: [ASKED] },
      output: { messages: [CALLED] },
    },
  ],
  [
    'a span that has nothing to do with models',
    { name: 'GET /', attributes: { 'http.request.method': 'GET' } },
    { dialect: 'null', kind: 'span', tokens: '' },
  ],
  [
    'Opik: a call with what its provider counted',
    {
      attributes: {
        'opik.type': 'llm',
        'opik.provider': 'openai',
        'opik.model': 'gpt-4o',
        'opik.thread_id': 's-1',
        'opik.tags': json(['beta']),
        'opik.ttft': 250,
        'opik.total_estimated_cost': 0.5,
        'opik.usage': json({
          prompt_tokens: 100,
          completion_tokens: 20,
          total_tokens: 120,
          'original_usage.prompt_tokens_details.cached_tokens': 40,
        }),
        'opik.input': json({ messages: [ASKED] }),
        'opik.output': json({ choices: [{ message: { role: 'assistant', content: 'It was sent.' } }] }),
      },
    },
    {
      dialect: 'opik',
      kind: 'llm',
      provider: 'openai',
      model: 'gpt-4o',
      tokens: 'inputUncached=60 cacheRead=40 outputText=20',
      rule: 'input inclusive, by dialect',
      session: 's-1',
      tags: { beta: 'true' },
      ttftMs: 250,
      reportedUsd: '500000000000',
      input: { messages: [ASKED] },
      output: { messages: [{ role: 'assistant', content: 'It was sent.' }] },
    },
  ],
];

function contentOf(content: ReturnType<typeof readFixture>['input']): unknown {
  if (content === null) return null;
  return content.kind === 'value'
    ? content.value
    : { messages: content.messages, ...(content.tools === undefined ? {} : { tools: content.tools }) };
}

describe('dialects', () => {
  for (const [what, fixture, expected] of CASES)
    it(`${what}: canonical field by field`, () => {
      const span = readFixture(fixture);
      assert.equal(String(span.dialect), expected.dialect);
      assert.equal(span.kind, expected.kind);
      if (expected.name !== undefined) assert.equal(span.name, expected.name);
      if (expected.provider !== undefined) assert.equal(span.provider?.name, expected.provider);
      if (expected.model !== undefined) assert.equal(span.responseModel ?? span.requestModel, expected.model);
      if (expected.tokens !== undefined) assert.equal(tokens(span), expected.tokens);
      if (expected.rule !== undefined) assert.equal(span.tokens?.rule ?? null, expected.rule);
      if (expected.reportedUsd !== undefined) assert.equal(span.reportedCost?.costPicoUsd.toString(), expected.reportedUsd);
      assert.equal(span.firstToken?.ms ?? null, expected.ttftMs ?? null);
      assert.equal(span.session, expected.session ?? null);
      assert.equal(span.user, expected.user ?? null);
      assert.deepEqual(span.tags, expected.tags ?? {});
      if (expected.finishReasons !== undefined) assert.deepEqual(span.finishReasons, expected.finishReasons);
      if (expected.input !== undefined) assert.deepEqual(contentOf(span.input), expected.input);
      if (expected.output !== undefined) assert.deepEqual(contentOf(span.output), expected.output);
      assert.deepEqual(span.documents, expected.documents ?? []);
      assert.deepEqual(span.scores, expected.scores ?? []);
    });

  it('have a test each', () => {
    const tested = new Set(CASES.map(([, , { dialect }]) => dialect));
    assert.deepEqual(
      DIALECTS.map(({ name }) => name).filter((name) => !tested.has(name)),
      [],
    );
  });

  it('read whatever a span holds without an exception, and count no token twice', () => {
    const names = [
      ...new Set(
        Object.values(ALIASES)
          .flat()
          .map((name) => name.split('>')[0] ?? name),
      ),
      ...DIALECTS.flatMap(({ content }) => content.map((name) => name.replace('.#', '.0.role'))),
    ];
    const hostile: fc.Arbitrary<AttributeValue> = fc.oneof(
      fc.string(),
      fc.integer({ min: -5, max: 2_000 }),
      fc.double(),
      fc.boolean(),
      fc.json(),
      fc.constantFrom(
        '__proto__',
        '{"__proto__":{"messages":[]}}',
        '[[[[]]]]',
        '{"messages":[{"role":"user","content":[{}]}]}',
        '[{"role":1}]',
      ),
      fc.array(fc.string(), { maxLength: 3 }),
      fc.constantFrom('LLM', 'llm', 'generation', 'chat', 'tool'),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(...names), hostile), { maxLength: 30 }), fc.string(), (entries, name) => {
        const span = readFixture({ name, attributes: Object.fromEntries(entries), error: 'x' });
        for (const count of Object.values(span.tokens?.usage ?? {}))
          assert.ok(Number.isSafeInteger(count) && count >= 0, JSON.stringify(span.tokens));
        JSON.stringify([span.input, span.output, span.documents, span.scores]);
      }),
      { numRuns: 1_000 },
    );
    assert.equal(({} as Record<string, unknown>).messages, undefined, 'nothing reached the prototype of objects');
  });
});
