import { z } from 'zod';
import { functionBody } from '../function-body.ts';
import { Json } from '../option-schemas.ts';
import { failed, measured, negated, type Score, type ScorePart, verdict } from '../score.ts';
import { defineScorer, type JsonValue, type ScoringTools, type Subject } from '../scorer.ts';

const Options = z
  .strictObject({
    value: z.string().min(1).optional().describe('An expression, or the inside of a function of `output` and `context`'),
    module: z
      .string()
      .min(1)
      .optional()
      .describe('Instead: source of a JavaScript or TypeScript module whose default export is such a function'),
    export: z.string().optional().describe('Name of the module’s export, when it is not the default one'),
    threshold: z.number().optional().describe('Least number that passes; when absent, a number above 0'),
    config: Json.optional().describe('Reaches the function as `context.config`'),
  })
  .refine(({ value, module }) => (value === undefined) !== (module === undefined), 'give a value or a module');

const Graded = z.object({
  pass: z.boolean(),
  score: z.number(),
  reason: z.string(),
  namedScores: z.record(z.string(), z.number()).optional().catch(undefined),
  componentResults: z
    .array(z.object({ score: z.number() }))
    .optional()
    .catch(undefined),
});

/** What promptfoo gives functions, as far as a run here has it, and what it has besides. */
function contextOf(subject: Subject, config: JsonValue | undefined): JsonValue {
  const { variables, messages, output, logProbabilities, model, costUsd, latencyMs, isCached, finishReason } = subject;
  const [only] = messages;
  const prompt = messages.length === 1 && typeof only?.content === 'string' ? only.content : JSON.stringify(messages);
  const spans = subject.spans?.map((span) => ({ ...span, startTime: span.startMs, endTime: span.startMs + span.durationMs })) ?? null;
  return {
    prompt,
    vars: variables,
    test: { vars: variables },
    logProbs: logProbabilities,
    provider: model === null ? null : { id: model },
    providerResponse: { output, cost: costUsd, latencyMs, cached: isCached, finishReason },
    metadata: {},
    ...(config === undefined ? {} : { config }),
    ...(spans === null ? {} : { trace: { spans: spans as unknown as JsonValue } }), // spans hold JSON only
    question: subject.question,
    reference: subject.reference,
    contexts: subject.contexts,
    toolCalls: subject.toolCalls.map(({ name, arguments: given }) => ({ name, arguments: given })),
  };
}

function graded(value: JsonValue, threshold: number | undefined): Score {
  if (typeof value === 'boolean') return verdict(value, `The function returned ${value}.`);
  if (typeof value === 'number')
    return measured(value, threshold === undefined ? value > 0 : value >= threshold, `The function returned ${value}.`);
  const result = Graded.safeParse(value);
  if (!result.success) return failed('The function must return a boolean, a number, or { pass, score, reason }.');
  const { pass, score, reason, namedScores = {}, componentResults = [] } = result.data;
  const parts: ScorePart[] = [
    ...Object.entries(namedScores).map(([name, each]) => ({ name, value: each })),
    ...componentResults.map((each, index) => ({ name: `component ${index + 1}`, value: each.score })),
  ];
  return measured(score, pass, reason.slice(0, 2000), parts);
}

/** What the function returned, or the score that stands when it did not. */
async function ask(
  subject: Subject,
  options: z.infer<typeof Options>,
  { scripts }: ScoringTools,
): Promise<{ readonly returned: JsonValue } | Score> {
  if (scripts === undefined) return failed('Code of suites is not run here.');
  const { value, module } = options;
  const reply = await scripts.run({
    ...(module === undefined ? { kind: 'body', source: functionBody(value ?? '') } : { kind: 'module', source: module }),
    exportName: options.export ?? null,
    output: subject.output,
    context: contextOf(subject, options.config),
  });
  switch (reply.state) {
    case 'returned':
      return { returned: reply.value };
    case 'threw':
      return verdict(false, `The function threw: ${reply.message}`);
    case 'stopped':
      return failed(`The function was stopped: ${reply.message}`);
  }
}

export default defineScorer({
  names: ['javascript'],
  summary: 'A function of your own says it: a boolean, a number, or `{ pass, score, reason, namedScores, componentResults }`.',
  source:
    'promptfoo. An expression on one line, several lines with `return`, or a module. It runs in a process without files, network, environment, modules or typed arrays, for at most 5 s and 64 MiB; one that goes beyond is a failed score. A function that throws does not pass. `not-` turns the verdict and leaves the number, as there.',
  direction: 'higher',
  needs: [],
  options: Options,
  async score(subject, options, tools) {
    const answer = await ask(subject, options, tools);
    return 'state' in answer ? answer : graded(answer.returned, options.threshold);
  },
  async scoreNegated(subject, options, tools) {
    const answer = await ask(subject, options, tools);
    // What threw passes neither way.
    if ('state' in answer) return answer;
    const plain = graded(answer.returned, options.threshold);
    if (plain.state !== 'measured' || typeof answer.returned === 'boolean') return negated(plain);
    return { ...plain, passed: !plain.passed, reason: `Not: ${plain.reason}` };
  },
});
