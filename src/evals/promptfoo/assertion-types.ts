/** promptfoo 0.123's assertion types. @see https://www.promptfoo.dev/docs/configuration/expected-outputs */
export const PROMPTFOO_TYPES: ReadonlySet<string> = new Set(
  'agent-rubric answer-relevance bleu classifier contains contains-all contains-any contains-html contains-json contains-sql contains-xml context-faithfulness context-recall context-relevance conversation-relevance cost equals factuality finish-reason g-eval gleu guardrails icontains icontains-all icontains-any is-html is-json is-refusal is-sql is-valid-function-call is-valid-openai-function-call is-valid-openai-tools-call is-xml javascript latency levenshtein llm-rubric meteor model-graded-closedqa model-graded-factuality moderation perplexity perplexity-score pi python regex rouge-n ruby search-rubric similar similar:cosine similar:dot similar:euclidean skill-used starts-with tool-call-f1 trace-error-spans trace-span-count trace-span-duration trajectory:goal-success trajectory:step-count trajectory:tool-args-match trajectory:tool-sequence trajectory:tool-used webhook word-count select-best max-score human'.split(
    ' ',
  ),
);

/** Without a threshold promptfoo takes 0 for these: they cannot fail. */
export const ZERO_THRESHOLD: ReadonlySet<string> = new Set([
  'answer-relevance',
  'context-faithfulness',
  'context-recall',
  'context-relevance',
  'conversation-relevance',
]);

/** Types that need something we do not have, on purpose. */
export const REFUSED_TYPES: Readonly<Record<string, string>> = {
  pi: 'it is a service of a vendor',
  webhook: 'a suite sends nothing to the network but through the gateway',
  'search-rubric': 'it searches the web',
  python: 'suites run no Python; write it as "javascript"',
  ruby: 'suites run no Ruby; write it as "javascript"',
  'agent-rubric': 'it starts an agent with tools of its own',
  human: 'people label in the review queue',
};

/** Types whose value is a list of texts between commas when written as one text. */
export const LIST_TYPES: ReadonlySet<string> = new Set(['contains-all', 'contains-any', 'icontains-all', 'icontains-any']);

export function plainType(type: string): string {
  return type.startsWith('not-') ? type.slice('not-'.length) : type;
}
