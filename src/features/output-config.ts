import { z } from 'zod';

export const OutputConfig = z
  .strictObject({
    schema: z.record(z.string(), z.unknown()).optional().describe('JSON schema (2020-12) of every answer, written here'),
    schemaFile: z
      .string()
      .min(1)
      .max(500)
      .optional()
      .describe('The same in a JSON file, by its path from the folder of plimsoll.yaml; a change is taken up within seconds'),
    validate: z
      .boolean()
      .default(false)
      .describe('Check answers against the response_format (json_schema, json_object) that the request itself asks for'),
    validateToolArguments: z.boolean().default(false).describe('Check the arguments of tool calls against the parameters of their tools'),
    onInvalid: z
      .enum(['reject', 'repair', 'flag'])
      .default('flag')
      .describe(
        'reject: the client gets an error, a stream is cut before its end; repair: the model is asked once more, JSON answers only, else as reject; flag: passed on, and marked',
      ),
  })
  .superRefine(({ schema, schemaFile, validate, validateToolArguments }, context) => {
    if (schema !== undefined && schemaFile !== undefined)
      context.addIssue({ code: 'custom', path: ['schemaFile'], message: 'give schema or schemaFile, not both' });
    if (schema === undefined && schemaFile === undefined && !validate && !validateToolArguments)
      context.addIssue({ code: 'custom', message: 'checks nothing: give a schema, validate: true or validateToolArguments: true' });
  });
export type OutputConfig = z.output<typeof OutputConfig>;

/** What a feature demands of the form of its answers. */
export interface OutputContract {
  /** JSON schema of every answer; null = none of the feature's own. */
  readonly schema: Readonly<Record<string, unknown>> | null;
  readonly validate: boolean;
  readonly validateToolArguments: boolean;
  readonly onInvalid: 'reject' | 'repair' | 'flag';
}
