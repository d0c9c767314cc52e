/** Upper bounds as OpenTelemetry's GenAI conventions advise them. */
const TOKENS = [1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864] as const;
const DURATION = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92] as const;
const FIRST = [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10] as const;
const BETWEEN = [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5] as const;

export interface GenAiFamily {
  /** Name in OpenTelemetry. */
  readonly otel: string;
  /** Name in Prometheus: dots become underscores, seconds and counters are marked. */
  readonly prometheus: string;
  readonly unit: 's' | '{token}';
  readonly help: string;
  /** Upper bounds; null = a counter. */
  readonly bounds: readonly number[] | null;
}

function histogram(
  otel: string,
  unit: GenAiFamily['unit'],
  bounds: readonly number[],
  help: string,
): GenAiFamily & { readonly bounds: readonly number[] } {
  return { otel, prometheus: `${otel.replaceAll('.', '_')}${unit === 's' ? '_seconds' : ''}`, unit, bounds, help };
}

function counter(otel: string, help: string): GenAiFamily {
  return { otel, prometheus: `${otel.replaceAll('.', '_')}_total`, unit: '{token}', bounds: null, help };
}

/**
 * OpenTelemetry's GenAI metrics, of the released conventions (1.41) and of the newer ones. "client" is this gateway towards a provider, an
 * observation per attempt; "server" is this gateway towards its clients, an observation per call.
 * @see https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics/
 */
export const GEN_AI = {
  tokenUsage: histogram('gen_ai.client.token.usage', '{token}', TOKENS, 'Tokens of a request to a provider'),
  operationDuration: histogram('gen_ai.client.operation.duration', 's', DURATION, 'Duration of a request to a provider'),
  firstChunk: histogram(
    'gen_ai.client.operation.time_to_first_chunk',
    's',
    FIRST,
    'Time from a request to the first content of its stream',
  ),
  perChunk: histogram(
    'gen_ai.client.operation.time_per_output_chunk',
    's',
    BETWEEN,
    'Time between two contents of a stream, the mean of each stream',
  ),
  requestDuration: histogram('gen_ai.server.request.duration', 's', DURATION, 'Duration of a call, as its client sees it'),
  firstToken: histogram(
    'gen_ai.server.time_to_first_token',
    's',
    FIRST,
    'Time from the arrival of a call to the first content of its stream',
  ),
  perToken: histogram(
    'gen_ai.server.time_per_output_token',
    's',
    BETWEEN,
    'Time between two contents of a stream as its client sees it, the mean of each stream',
  ),
  inputTokens: counter('gen_ai.client.inference.usage.input_tokens', 'Input tokens, cached ones included'),
  outputTokens: counter('gen_ai.client.inference.usage.output_tokens', 'Output tokens, reasoning included'),
  cacheReadTokens: counter('gen_ai.client.inference.usage.cache_read.input_tokens', 'Input tokens read from a provider’s cache'),
  cacheWriteTokens: counter('gen_ai.client.inference.usage.cache_write.input_tokens', 'Input tokens written to a provider’s cache'),
  reasoningTokens: counter('gen_ai.client.inference.usage.reasoning.output_tokens', 'Output tokens spent on reasoning'),
  operationInput: histogram('gen_ai.client.inference.operation.input_tokens', '{token}', TOKENS, 'Input tokens of a request to a provider'),
  operationOutput: histogram(
    'gen_ai.client.inference.operation.output_tokens',
    '{token}',
    TOKENS,
    'Output tokens of a request to a provider',
  ),
  workflow: histogram('gen_ai.workflow.duration', 's', DURATION, 'Duration of workflows, from the spans of clients'),
  agent: histogram('gen_ai.invoke_agent.duration', 's', DURATION, 'Duration of agents, from the spans of clients'),
  tool: histogram('gen_ai.execute_tool.duration', 's', DURATION, 'Duration of tools, from the spans of clients'),
} as const satisfies Record<string, GenAiFamily>;

/** Labels in Prometheus and the attributes that they stand for; others keep their name. */
export const GEN_AI_LABELS: Readonly<Record<string, string>> = {
  gen_ai_operation_name: 'gen_ai.operation.name',
  gen_ai_provider_name: 'gen_ai.provider.name',
  gen_ai_request_model: 'gen_ai.request.model',
  gen_ai_response_model: 'gen_ai.response.model',
  gen_ai_token_type: 'gen_ai.token.type',
  gen_ai_token_modality: 'gen_ai.token.modality',
  gen_ai_agent_name: 'gen_ai.agent.name',
  gen_ai_tool_name: 'gen_ai.tool.name',
  gen_ai_workflow_name: 'gen_ai.workflow.name',
  error_type: 'error.type',
};
