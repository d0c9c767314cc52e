import type { Differences } from './agent-script.ts';

/** The SDKs that run the agent script, and over what. Which of them were really run is in `clients/proven/senders.json`, written by the tests. */
export const WAYS = ['OTLP, HTTP, protobuf', 'OTLP, HTTP, JSON', 'OTLP, gRPC', 'its own endpoints'] as const;
const OTLP = WAYS.filter((way) => way !== 'its own endpoints');
export type Way = (typeof WAYS)[number];

export interface Sender {
  readonly id: string;
  /** npm package whose version stands in the page; null = not installed, its requests are played. */
  readonly package: string | null;
  /** What of it is used. */
  readonly api: string;
  /** As in `plimsoll.dialect`. */
  readonly dialect: string;
  readonly ways: readonly Way[];
  readonly differences: Differences;
}

export const SENDERS: readonly Sender[] = [
  {
    id: 'opentelemetry-present',
    package: '@opentelemetry/sdk-trace-base',
    api: 'present GenAI conventions',
    dialect: 'opentelemetry',
    ways: OTLP,
    differences: {},
  },
  {
    id: 'opentelemetry-earlier',
    package: '@opentelemetry/sdk-trace-base',
    api: 'earlier GenAI conventions, messages as events',
    dialect: 'opentelemetry',
    ways: OTLP,
    differences: {},
  },
  {
    id: 'ai-sdk',
    package: '@ai-sdk/otel',
    api: 'OpenTelemetry, with ai',
    dialect: 'opentelemetry',
    ways: OTLP,
    differences: { noReasoning: true },
  },
  {
    id: 'ai-sdk-legacy',
    package: '@ai-sdk/otel',
    api: 'LegacyOpenTelemetry, with ai',
    dialect: 'vercel-ai',
    ways: OTLP,
    differences: { noErrorType: true, hasToolNames: true },
  },
  {
    id: 'langfuse',
    package: '@langfuse/otel',
    api: 'with @langfuse/tracing',
    dialect: 'langfuse',
    ways: ['OTLP, HTTP, JSON'],
    differences: { noFinishReasons: true, noErrorType: true },
  },
  {
    id: 'phoenix',
    package: '@arizeai/phoenix-otel',
    api: 'traceAgent, traceLLM, traceTool',
    dialect: 'openinference',
    ways: ['OTLP, HTTP, protobuf'],
    differences: { noReasoning: true, noFirstToken: true, noFinishReasons: true },
  },
  {
    id: 'langsmith-otel',
    package: 'langsmith',
    api: 'traceable, OpenTelemetry mode',
    dialect: 'langsmith',
    ways: ['OTLP, HTTP, protobuf'],
    differences: { noFirstToken: true },
  },
  {
    id: 'langsmith',
    package: 'langsmith',
    api: 'traceable',
    dialect: 'langsmith',
    ways: ['its own endpoints'],
    differences: { noFirstToken: true },
  },
  {
    id: 'langchain',
    package: '@langchain/core',
    api: 'LangChainTracer, ChatOpenAI of @langchain/openai',
    dialect: 'langsmith',
    ways: ['its own endpoints'],
    differences: {},
  },
  {
    id: 'langfuse-ingestion',
    package: '@langfuse/client',
    api: 'api.ingestion.batch, with the events of its SDKs before 4',
    dialect: 'langfuse',
    ways: ['its own endpoints'],
    differences: { noFinishReasons: true, noErrorType: true },
  },
  {
    id: 'opik',
    package: null,
    api: 'requests as its SDK 2.0.40 was recorded to send them',
    dialect: 'opik',
    ways: ['its own endpoints'],
    differences: {},
  },
];

const WORDS: Readonly<Record<keyof Differences, string>> = {
  noReasoning: 'no reasoning tokens',
  noFirstToken: 'no first token',
  noFinishReasons: 'no finish reasons',
  noErrorType: 'no class of error',
  hasToolNames: 'names the tool in its result',
};

export function wordsOf(differences: Differences): string {
  const words = Object.keys(differences).map((name) => WORDS[name as keyof Differences]); // keys of the type
  return words.length === 0 ? 'nothing' : words.join(', ');
}
