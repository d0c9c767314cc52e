import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import OpenAI from 'openai';
import { within } from '../../src/kernel/testing.ts';
import type { MetricSummary, TraceDetail, TracePage } from '../../src/traces/model.ts';
import { eventually, type Plimsoll, startPlimsoll } from '../harness/plimsoll.ts';

describe('first call: a clean start, the official SDK, a trace within two seconds', () => {
  let plimsoll: Plimsoll;
  let openai: OpenAI;
  before(async () => {
    plimsoll = await startPlimsoll();
    openai = new OpenAI({ baseURL: `${plimsoll.url}/v1`, apiKey: plimsoll.virtualKey, maxRetries: 0 });
  });
  after(() => plimsoll.stop());

  const trace = (traceId: string, timeoutMs = within(2_000)) =>
    eventually(
      `trace ${traceId}`,
      () => plimsoll.api<TraceDetail>(`/api/v1/traces/${traceId}`),
      (detail) => detail.spans.length > 0,
      timeoutMs,
    );

  it('answers the README curl and shows its trace, priced and timed, within 2 s', async () => {
    const { data, response } = await openai.chat.completions
      .create({ model: 'default', messages: [{ role: 'user', content: 'Where is my order 1042?' }] })
      .withResponse();
    assert.ok((data.choices[0]?.message.content ?? '').length > 20);
    const traceId = response.headers.get('x-plimsoll-trace-id') ?? '';
    const detail = await trace(traceId);
    assert.equal(detail.trace.feature, 'customer-support');
    assert.equal(detail.trace.status, 'ok');
    assert.equal(detail.trace.isSimulated, true);
    assert.equal(detail.trace.inputTokens, data.usage?.prompt_tokens);
    assert.equal(detail.trace.outputTokens, data.usage?.completion_tokens);
    // sim-large in the shipped configuration: $2.5 and $10 per million tokens = 2 500 000 and 10 000 000 pico-dollars a token.
    assert.equal(
      detail.trace.costPicoUsd,
      `${BigInt(data.usage?.prompt_tokens ?? 0) * 2_500_000n + BigInt(data.usage?.completion_tokens ?? 0) * 10_000_000n}`,
    );
    assert.deepEqual(
      detail.spans
        .filter((span) => span.kind === 'stage')
        .map((span) => span.name)
        .sort(),
      [...new Set(detail.spans.filter((span) => span.kind === 'stage').map((span) => span.name))].sort(),
    );
    assert.ok(detail.spans.some((span) => span.kind === 'llm' && span.responseModel === 'sim-large'));
    const entry = detail.spans.find((span) => span.isEntry);
    assert.match(entry?.input ?? '', /Where is my order 1042/);
    assert.ok((entry?.output ?? '').includes(JSON.stringify(data.choices[0]?.message.content).slice(1, 40)));
  });

  it('streams, with usage withheld from who did not ask and given to who did', async () => {
    const messages = [{ role: 'user' as const, content: 'How do I return a jacket?' }];
    const plain = await openai.chat.completions.create({ model: 'default', messages, stream: true });
    let text = '';
    for await (const chunk of plain) {
      assert.equal(chunk.usage ?? null, null);
      text += chunk.choices[0]?.delta.content ?? '';
    }
    assert.ok(text.length > 20);
    const asked = await openai.chat.completions.create({
      model: 'default',
      messages,
      stream: true,
      stream_options: { include_usage: true },
    });
    let usage: OpenAI.CompletionUsage | null = null;
    for await (const chunk of asked) usage = chunk.usage ?? usage;
    assert.ok((usage?.completion_tokens ?? 0) > 0);
  });

  it('joins the trace of the client', async () => {
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
    await openai.chat.completions.create(
      { model: 'sim-small', messages: [{ role: 'user', content: 'Hello' }] },
      {
        headers: {
          traceparent: `00-${traceId}-00f067aa0ba902b7-01`,
          'x-plimsoll-user': 'u-1',
          'x-plimsoll-session': 's-1',
          'x-plimsoll-tags': 'tier=gold',
        },
      },
    );
    const detail = await trace(traceId);
    assert.equal(detail.trace.user, 'u-1');
    assert.equal(detail.trace.session, 's-1');
    assert.deepEqual(detail.trace.tags, { tier: 'gold' });
    assert.equal(detail.spans.find((span) => span.isEntry)?.parentSpanId, '00f067aa0ba902b7');
  });

  it('translates Anthropic both ways, tools included', async () => {
    const tools = [
      {
        type: 'function' as const,
        function: {
          name: 'get_order_status',
          description: 'Status of an order',
          parameters: { type: 'object', properties: { order_id: { type: 'string' } }, required: ['order_id'] },
        },
      },
    ];
    const stream = openai.chat.completions.stream({
      model: 'sim-claude',
      messages: [{ role: 'user', content: 'What is the status of order 1042?' }],
      tools,
      tool_choice: 'required',
    });
    const call = (await stream.finalChatCompletion()).choices[0]?.message.tool_calls?.[0];
    assert.equal(call?.type === 'function' ? call.function.name : null, 'get_order_status');
    assert.equal(typeof JSON.parse(call?.type === 'function' ? call.function.arguments : ''), 'object');
    const answer = await openai.chat.completions.create({
      model: 'sim-claude',
      messages: [
        { role: 'user', content: 'What is the status of order 1042?' },
        {
          role: 'assistant',
          tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'get_order_status', arguments: '{"order_id":"1042"}' } }],
        },
        { role: 'tool', tool_call_id: 'call_1', content: '{"status":"shipped"}' },
      ],
      tools,
    });
    assert.ok((answer.choices[0]?.message.content ?? '').length > 0);
  });

  it('an aborted stream is settled as aborted with an estimate, and the upstream is let go', async () => {
    const stream = await openai.chat.completions.create(
      { model: 'default', messages: [{ role: 'user', content: 'Explain our return policy in detail, please.' }], stream: true },
      { headers: { 'x-plimsoll-session': 'aborted-session' } },
    );
    for await (const _chunk of stream) {
      stream.controller.abort();
      break;
    }
    const page = await eventually(
      'aborted trace',
      () => plimsoll.api<TracePage>('/api/v1/traces?session=aborted-session'),
      ({ traces }) => traces.length === 1,
      within(3_000),
    );
    assert.equal(page.traces[0]?.status, 'aborted');
    assert.equal(page.traces[0]?.costStatus, 'estimated_tokens');
  });

  it('refuses unknown keys, models and features in the shape that the SDK turns into its own errors', async () => {
    const wrong = new OpenAI({ baseURL: `${plimsoll.url}/v1`, apiKey: 'plk_wrong', maxRetries: 0 });
    await assert.rejects(wrong.chat.completions.create({ model: 'default', messages: [] }), OpenAI.AuthenticationError);
    await assert.rejects(
      openai.chat.completions.create({ model: 'defualt', messages: [{ role: 'user', content: 'x' }] }),
      (error: unknown) => error instanceof OpenAI.NotFoundError && /default/.test(error.message),
    );
    const models = await openai.models.list();
    assert.ok(models.data.some((model) => model.id === 'default') && models.data.some((model) => model.id === 'sim-claude'));
  });

  it('counts what happened, in the summary and in Prometheus', async () => {
    const summary = await eventually(
      'summary',
      () => plimsoll.api<MetricSummary>('/api/v1/metrics/summary?groupBy=feature'),
      ({ total }) => total.requests >= 6,
      within(5_000),
    );
    assert.equal(summary.groups[0]?.key, 'customer-support');
    const text = await (await fetch(`${plimsoll.url}/metrics`)).text();
    for (const name of [
      'llm_request_duration_seconds_bucket',
      'llm_time_to_first_token_seconds_count',
      'llm_tokens_total',
      'llm_cost_usd_total',
      'plimsoll_ingest_lag_seconds',
      'plimsoll_control_up 1',
    ])
      assert.ok(text.includes(name), name);
    const line = plimsoll.output.stdout.split('\n').find((entry) => entry.includes('"llm_call"')) ?? '';
    const logged = JSON.parse(line) as Record<string, unknown>;
    for (const field of [
      'trace_id',
      'feature',
      'model',
      'input_tokens',
      'output_tokens',
      'cost_usd',
      'latency_ms',
      'ttft_ms',
      'success',
      'error_type',
    ])
      assert.ok(field in logged, field);
  });
});
