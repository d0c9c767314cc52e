import type { TemplateObject } from '../prompts/templates/values.ts';
import type { JsonValue, Message } from './scorer.ts';

/** What a prompt is for one case: the text as it is shown, and the messages that are sent. */
export interface RenderedPrompt {
  readonly text: string;
  readonly messages: readonly Message[];
  /** Variables that it reads and nobody gave. */
  readonly missing: readonly string[];
}

export interface SuitePrompt {
  /** How people call it: a label, a path, or the beginning of its text. Unique in a suite. */
  readonly label: string;
  /** sha-256 of the source, 16 hex digits: another text, another prompt. */
  readonly hash: string;
  /** @throws PlimsollError `invalid_argument` with the template's place */
  render(variables: TemplateObject): RenderedPrompt;
}

export interface SuiteTarget {
  /** Unique in a suite. */
  readonly label: string;
  /** Model alias or route of the gateway; null = answers with the prompt itself (promptfoo's `echo`), nothing is called. */
  readonly model: string | null;
  /** Members of the chat request beside model and messages. */
  readonly parameters: Readonly<Record<string, JsonValue>>;
  /** Labels of the prompts that it is asked with; null = all. */
  readonly prompts: readonly string[] | null;
}

export interface SuiteAssertion {
  readonly kind: 'assertion';
  readonly type: string;
  /** As the scorer wants them: `value`, `threshold` and what the type has besides. Strings may be templates of the case's variables. */
  readonly options: Readonly<Record<string, JsonValue>>;
  /** 0 = measured only, cannot fail a case. */
  readonly weight: number;
  readonly metric: string | null;
  /** Code that makes of the output what is scored, for the sandbox; null = the output as it is. */
  readonly transform: string | null;
  /** Judge that is asked: a model alias; null = the run's. */
  readonly judge: string | null;
  readonly place: string;
}

export interface SuiteAssertionSet {
  readonly kind: 'set';
  readonly assertions: readonly SuiteAssertion[];
  readonly weight: number;
  readonly metric: string | null;
  /** Least weighted mean score; null = every assertion must pass. */
  readonly threshold: number | null;
  readonly place: string;
}

export interface SuiteCase {
  /** Stays the same while the inputs do: prompts and assertions may be edited between two runs that are compared. */
  readonly id: string;
  readonly description: string | null;
  readonly variables: TemplateObject;
  /** Before and after the prompt's own text. */
  readonly prefix: string;
  readonly suffix: string;
  readonly assertions: readonly (SuiteAssertion | SuiteAssertionSet)[];
  readonly threshold: number | null;
  /** Code that makes of the answer the output, for the sandbox; null = none. */
  readonly transform: string | null;
  /** An answer that is given: nothing is called. */
  readonly output: string | null;
  readonly reference: string | null;
  readonly contexts: readonly string[] | null;
  readonly slices: Readonly<Record<string, string>>;
  readonly cluster: string | null;
  /** Labels; null = all. */
  readonly prompts: readonly string[] | null;
  readonly targets: readonly string[] | null;
  readonly place: string;
}

/** What one run runs, whatever file it was written in. */
export interface Suite {
  readonly name: string;
  readonly feature: string | null;
  readonly prompts: readonly SuitePrompt[];
  readonly targets: readonly SuiteTarget[];
  readonly cases: readonly SuiteCase[];
  readonly repeats: number;
  /** Most calls at a time; null = found while running. */
  readonly concurrency: number | null;
  readonly delayMs: number;
  /** Model alias of the judge; null = none. */
  readonly judge: string | null;
}
