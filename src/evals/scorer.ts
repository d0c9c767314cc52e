import type { z } from 'zod';
import type { JsonValue } from '../datasets/json-value.ts';
import type { Score } from './score.ts';

export type { JsonValue };

export interface Message {
  readonly role: string;
  readonly content: JsonValue;
}

export interface ToolCall {
  readonly name: string;
  /** Parsed; a string when the model's arguments are no JSON. */
  readonly arguments: JsonValue;
}

/** A span of the run's trace, for trajectory and trace scorers. */
export interface TracedSpan {
  readonly spanId: string;
  readonly parentSpanId: string | null;
  readonly name: string;
  /** OpenTelemetry GenAI operation: chat, execute_tool, invoke_agent, embeddings, retrieval …; null for another span. */
  readonly operation: string | null;
  readonly toolName: string | null;
  readonly toolArguments: JsonValue | null;
  readonly startMs: number;
  readonly durationMs: number;
  readonly isError: boolean;
}

/** What the guardrails of a run said. */
export interface GuardrailOutcome {
  readonly isFlagged: boolean;
  /** Which side was flagged; null = not known, or none. */
  readonly stage: 'input' | 'output' | null;
  readonly reason: string | null;
}

/** A tool as it was offered to the model. */
export interface OfferedTool {
  readonly name: string;
  /** JSON schema of its arguments. */
  readonly parameters: JsonValue;
}

/** One output of one version for one case, with all that a scorer may look at. The same object offline, in CI, on live traffic and in a canary. */
export interface Subject {
  /** What was asked: the rendered prompt's last user text, or the case's question. */
  readonly question: string;
  readonly messages: readonly Message[];
  readonly variables: Readonly<Record<string, JsonValue>>;
  /** The answer as text; a structured one as JSON. */
  readonly output: string;
  readonly toolCalls: readonly ToolCall[];
  readonly finishReason: string | null;
  /** The right answer, where the case has one. */
  readonly reference: string | null;
  /** Retrieved passages in rank order; null = the run had no retrieval, which is not the same as an empty one. */
  readonly contexts: readonly string[] | null;
  readonly contextIds: readonly string[] | null;
  readonly referenceContexts: readonly string[] | null;
  readonly referenceContextIds: readonly string[] | null;
  readonly latencyMs: number | null;
  readonly costUsd: number | null;
  readonly isCached: boolean;
  /** Natural logarithm of each output token's probability, where the provider gave them. */
  readonly logProbabilities: readonly number[] | null;
  readonly spans: readonly TracedSpan[] | null;
  /** Model that answered, as the gateway names it. */
  readonly model: string | null;
  /** Absent or null = the run had no guardrails, or they were not recorded. */
  readonly guardrails?: GuardrailOutcome | null;
  /** Absent or null = it is not known what was offered. */
  readonly offeredTools?: readonly OfferedTool[] | null;
}

export interface JudgeRequest {
  readonly messages: readonly { readonly role: 'system' | 'user'; readonly content: string }[];
  /** Asks for the probabilities of the answer's tokens. */
  readonly wantsLogProbabilities?: boolean;
  readonly temperature?: number;
  /** 0, 1, 2 … of the same question: answers of different samples are drawn apart, never one from a cache of another. Absent = 0. */
  readonly sample?: number;
}

export interface JudgeReply {
  readonly text: string;
  /** Each token of the reply with its most likely alternatives; null where the provider does not give them. */
  readonly tokens:
    | readonly {
        readonly token: string;
        readonly logProbability: number;
        readonly alternatives: readonly { readonly token: string; readonly logProbability: number }[];
      }[]
    | null;
  readonly model: string;
  readonly costUsd: number | null;
}

/** Code of a suite (a `javascript` assertion, a scorer of one's own), to be run where it can reach nothing. */
export interface ScriptRequest {
  /**
   * `body`: the inside of a function of `output` and `context`. `module`: source of an ES module (TypeScript too) whose default export,
   * or export `exportName`, is such a function.
   */
  readonly kind: 'body' | 'module';
  readonly source: string;
  readonly exportName: string | null;
  readonly output: JsonValue;
  readonly context: JsonValue;
}

export type ScriptReply =
  | { readonly state: 'returned'; readonly value: JsonValue }
  /** The code threw, does not parse, or gave what no JSON can hold. */
  | { readonly state: 'threw'; readonly message: string }
  /** It went beyond its time, memory or size, or ended the process it ran in. */
  | { readonly state: 'stopped'; readonly message: string };

export interface ScriptRunner {
  run(request: ScriptRequest): Promise<ScriptReply>;
}

/**
 * What scorers may use of the world. Nothing else: a scorer has no network, no files, no clock. All of it goes through the gateway, with budgets.
 * A method throws `PlimsollError` when the gateway does; the runner then makes it a `failed` score.
 */
export interface ScoringTools {
  judge(request: JudgeRequest): Promise<JudgeReply>;
  /** @returns one vector per text, all of one length */
  embed(texts: readonly string[]): Promise<readonly (readonly number[])[]>;
  /** Provider's moderation of a text: category → flagged. */
  moderate(text: string): Promise<{ readonly isFlagged: boolean; readonly categories: readonly string[] }>;
  /** Absent where no code of suites is run. */
  readonly scripts?: ScriptRunner;
}

export interface ScorerDefinition<Options extends z.ZodType = z.ZodType> {
  /** Names under which it is found: promptfoo's assertion type first, where it has one. */
  readonly names: readonly [string, ...string[]];
  /** One sentence for the reference. */
  readonly summary: string;
  /** Formula and source. */
  readonly source: string;
  readonly direction: 'higher' | 'lower';
  /** What it must have: without it the score is `unmeasured`, and the runner says so before anything is spent. */
  readonly needs: readonly (
    | 'reference'
    | 'contexts'
    | 'judge'
    | 'embedder'
    | 'moderation'
    | 'log probabilities'
    | 'spans'
    | 'cost'
    | 'latency'
  )[];
  /** Strict: an unknown option is an error that names it. */
  readonly options: Options;
  /** What a judge is told, before a case is filled in: with the model and its parameters it makes the judge's hash (judges/judge.ts). Absent = no judge. */
  judgePrompts?(options: z.infer<Options>): readonly string[];
  /** Pure but for `tools`. @param options parsed by `options` */
  score(subject: Subject, options: z.infer<Options>, tools: ScoringTools): Score | Promise<Score>;
  /** What `not-<type>` says, where that is more than the plain score turned round (`negated` of score.ts). */
  scoreNegated?(subject: Subject, options: z.infer<Options>, tools: ScoringTools): Score | Promise<Score>;
}

/** Only gives the parts their types. */
export function defineScorer<Options extends z.ZodType>(definition: ScorerDefinition<Options>): ScorerDefinition<Options> {
  return definition;
}
