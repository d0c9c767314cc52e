/** For the reference page; the same wherever Gemini models are served. */
export const LIMITS: readonly string[] = [
  'n above 1, audio answers, the old function calls, more than 5 stop sequences and images by URL are refused: Gemini needs their bytes, and the gateway fetches nothing',
  'logprobs, logit_bias, parallel_tool_calls false and strict tools are not sent (warning); system messages inside a conversation move to its start (warning)',
  'Tool calls without an id get one that stays the same; thought signatures travel as tool_calls[].extra_content.google.thought_signature',
];
