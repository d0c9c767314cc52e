import type { Differences } from './agent-script.ts';

/** The SDKs that run the agent script, and over what. Which of them were really run is in `clients/proven/senders.json`, written by the tests. */
export const WAYS = ['OTLP, HTTP, protobuf', 'OTLP, HTTP, JSON', 'OTLP, gRPC'] as const;
export type Way = (typeof WAYS)[number];

export interface Sender {
  readonly id: string;
  /** npm package whose version stands in the page. */
  readonly package: string;
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
    ways: WAYS,
    differences: {},
  },
  {
    id: 'opentelemetry-earlier',
    package: '@opentelemetry/sdk-trace-base',
    api: 'earlier GenAI conventions, messages as events',
    dialect: 'opentelemetry',
    ways: WAYS,
    differences: {},
  },
  {
    id: 'ai-sdk',
    package: '@ai-sdk/otel',
    api: 'OpenTelemetry, with ai',
    dialect: 'opentelemetry',
    ways: WAYS,
    differences: { noReasoning: true },
  },
  {
    id: 'ai-sdk-legacy',
    package: '@ai-sdk/otel',
    api: 'LegacyOpenTelemetry, with ai',
    dialect: 'vercel-ai',
    ways: WAYS,
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
  return words.length === 0 ? 'none' : words.join(', ');
}
