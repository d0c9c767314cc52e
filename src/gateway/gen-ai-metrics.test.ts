import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NO_USAGE } from '../models/usage.ts';
import type { CallAttempt } from '../traces/call-record.ts';
import { GEN_AI } from '../traces/prometheus/gen-ai-families.ts';
import type { Call } from './call.ts';
import { GenAiMetrics } from './gen-ai-metrics.ts';

function attempt(changes: Partial<CallAttempt>): CallAttempt {
  const usage = {
    ...NO_USAGE,
    inputUncachedTokens: 10,
    cacheReadTokens: 5,
    cacheWrite1hTokens: 2,
    audioInputTokens: 3,
    outputTextTokens: 7,
    reasoningTokens: 4,
  };
  const base = {
    providerKind: 'openai',
    requestModel: 'gpt-5',
    responseModel: 'gpt-5-2026',
    durationMs: 1_000,
    ttftMs: 200,
    errorType: null,
    usage,
  };
  return { ...base, ...changes } as CallAttempt; // only what the metrics read
}

function call(changes: Record<string, unknown>): Call {
  const gaps = { count: 2, sumMs: 80, maxMs: 50 };
  const base = {
    operation: 'chat',
    purpose: null,
    error: null,
    ttftMs: 210,
    gaps,
    body: { isStream: true },
    destination: { name: 'default' },
  };
  return { ...base, attempts: [attempt({})], ...changes } as unknown as Call; // only what the metrics read
}

function write(metrics: GenAiMetrics): string {
  const lines: string[] = [];
  metrics.write(lines);
  return lines.join('\n');
}

describe('GenAiMetrics', () => {
  it('writes every family of both generations that a gateway can know', () => {
    const metrics = new GenAiMetrics();
    metrics.record(call({}), 1_010);
    const text = write(metrics);
    const { workflow: _, agent: __, tool: ___, ...known } = GEN_AI;
    for (const { prometheus, bounds } of Object.values(known))
      assert.match(text, new RegExp(`\n${prometheus}${bounds === null ? '' : '_count'}\\{`), prometheus);
    const client =
      'gen_ai_operation_name="chat",gen_ai_provider_name="openai",gen_ai_request_model="gpt-5",gen_ai_response_model="gpt-5-2026"';
    for (const line of [
      `gen_ai_client_token_usage_sum{${client},gen_ai_token_type="input"} 20`,
      `gen_ai_client_token_usage_sum{${client},gen_ai_token_type="output"} 11`,
      `gen_ai_client_operation_duration_seconds_sum{${client}} 1`,
      `gen_ai_client_operation_time_to_first_chunk_seconds_sum{${client}} 0.2`,
      `gen_ai_client_operation_time_per_output_chunk_seconds_sum{${client}} 0.04`,
      `gen_ai_client_inference_usage_input_tokens_total{${client},gen_ai_token_modality="text"} 17`,
      `gen_ai_client_inference_usage_input_tokens_total{${client},gen_ai_token_modality="audio"} 3`,
      `gen_ai_client_inference_usage_cache_read_input_tokens_total{${client}} 5`,
      `gen_ai_client_inference_usage_cache_write_input_tokens_total{${client}} 2`,
      `gen_ai_client_inference_usage_reasoning_output_tokens_total{${client}} 4`,
      'gen_ai_server_request_duration_seconds_sum{gen_ai_operation_name="chat",gen_ai_provider_name="plimsoll",gen_ai_request_model="default"} 1.01',
    ])
      assert.ok(text.includes(`\n${line}\n`) || text.endsWith(`\n${line}`), line);
    assert.ok(text.includes('gen_ai_client_token_usage_bucket') && text.includes('le="67108864"'));
  });

  it('keeps errors apart, each attempt for itself, and counts no client where there is none', () => {
    const metrics = new GenAiMetrics();
    const attempts = [attempt({ errorType: 'provider_timeout', usage: null, responseModel: null, ttftMs: null }), attempt({})];
    metrics.record(call({ attempts }), 2_000);
    metrics.record(call({ attempts: [attempt({})], purpose: 'shadow' }), 500);
    const text = write(metrics);
    assert.match(
      text,
      /operation_duration_seconds_count\{gen_ai_operation_name="chat",gen_ai_provider_name="openai",gen_ai_request_model="gpt-5",error_type="provider_timeout"\} 1/,
    );
    assert.match(text, /operation_duration_seconds_count\{.*gen_ai_response_model="gpt-5-2026"\} 2/);
    assert.match(text, /gen_ai_server_request_duration_seconds_count\{.*\} 1/);
    // What lay between two contents is known of the answer, which the last attempt gave.
    assert.match(text, /time_per_output_chunk_seconds_count\{.*\} 2/);
  });

  it('folds models that are too many, and counts how often', () => {
    const metrics = new GenAiMetrics(3);
    for (let place = 0; place < 10; place++) metrics.record(call({ attempts: [attempt({ responseModel: `m-${place}` })] }), 1);
    assert.equal(metrics.folded, 7);
    const text = write(metrics);
    assert.match(
      text,
      /operation_duration_seconds_count\{gen_ai_operation_name="chat",gen_ai_provider_name="other",gen_ai_request_model="other",gen_ai_response_model="other"\} 7/,
    );
  });
});
