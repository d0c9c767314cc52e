import { z } from 'zod';
import { PlimsollError } from '../kernel/errors.ts';
import { contentHash } from '../kernel/ids.ts';
import { nearest } from '../kernel/suggest.ts';
import { assertJson, canonicalJson, isObject, type JsonValue } from './json-value.ts';

export const CASE_CAPS = { bytes: 1_048_576, contexts: 1_000, tags: 64, slices: 32, messages: 2_000, datasetCases: 100_000 } as const;

/** Any JSON; `assertJson` has looked at it before. */
const json = z.unknown() as z.ZodType<JsonValue>; // unlike z.custom it can be told in OpenAPI
const label = z
  .string()
  .min(1)
  .max(256)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  .regex(/^[^\u0000-\u001f\u007f]*$/, 'must not hold control characters');
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 is 64 small hexadecimal digits');
const names = (most: number) =>
  z
    .record(label, json)
    .default({})
    .refine((members) => Object.keys(members).length <= most, `at most ${most} members`);

export const CaseMessage = z.looseObject({
  role: z.string().min(1).max(64).describe('system, user, assistant, tool'),
  content: json.default(null).describe('Text, or parts as the client API has them'),
});

export const CaseContext = z.strictObject({
  id: label.nullable().default(null).describe('Id of the passage in its collection'),
  text: z.string(),
});
export type CaseContext = z.infer<typeof CaseContext>;

export const CaseToolCall = z.strictObject({ name: label, arguments: json.default({}) });
export type CaseToolCall = z.infer<typeof CaseToolCall>;

export const ProvenanceKind = z.enum(['hand', 'trace', 'feedback', 'incident', 'redteam', 'synthetic', 'import']);
export type ProvenanceKind = z.infer<typeof ProvenanceKind>;

export const Provenance = z.strictObject({
  kind: ProvenanceKind.default('hand'),
  traceId: label.nullable().default(null),
  spanId: label.nullable().default(null),
  id: label.nullable().default(null).describe('Of the feedback, incident, finding or generator that it came from'),
  source: z.string().max(1_024).nullable().default(null).describe('File and row, model, or words for people'),
});
export type Provenance = z.infer<typeof Provenance>;

const contexts = z.array(CaseContext).max(CASE_CAPS.contexts).nullable().default(null);

const CaseShape = z.strictObject({
  id: label.nullable().default(null).describe('Your own name of the case, once in a dataset; it stays when the case is edited'),
  description: z.string().max(4_096).nullable().default(null),
  input: z
    .strictObject({
      variables: names(1_000).describe('Values for the prompt template'),
      messages: z.array(CaseMessage).max(CASE_CAPS.messages).default([]).describe('Conversation so far, when there is no template'),
      files: z
        .array(z.strictObject({ name: label, sha256, mediaType: label.default('application/octet-stream') }))
        .max(100)
        .default([])
        .describe('By content'),
    })
    .prefault({}),
  expected: z
    .strictObject({
      answer: z.string().nullable().default(null).describe('The right answer; a structured one as JSON text'),
      facts: z.array(z.string().min(1)).max(1_000).default([]).describe('What a right answer says, one by one'),
      toolCalls: z.array(CaseToolCall).max(1_000).nullable().default(null),
    })
    .prefault({}),
  contexts: contexts.describe('Passages given to the model, in rank order; null = no retrieval, which is not the same as an empty one'),
  referenceContexts: contexts.describe('Passages that hold the answer'),
  recorded: z
    .strictObject({
      output: z.string().describe('An answer that was given'),
      toolCalls: z.array(CaseToolCall).max(1_000).default([]),
    })
    .nullable()
    .default(null)
    .describe('What was answered when the case was taken; can be scored without a call'),
  assertions: z.array(json).max(1_000).default([]).describe("promptfoo's assertions"),
  settings: names(100).describe("promptfoo's other members of a test: threshold, options, provider"),
  metadata: names(200),
  tags: z
    .array(label)
    .max(CASE_CAPS.tags)
    .default([])
    .overwrite((tags) => [...new Set(tags)].sort()),
  slices: z
    .record(label, label)
    .default({})
    .refine((slices) => Object.keys(slices).length <= CASE_CAPS.slices, `at most ${CASE_CAPS.slices} slices`)
    .describe('Groups that are checked on their own: {language: "de"}'),
  weight: z.number().positive().max(1e6).default(1),
  cluster: label.nullable().default(null).describe('Document, conversation or user that cases share; null = the case stands alone'),
  at: z.int().nullable().default(null).describe('When what it tells of happened, epoch ms; for splits by time'),
  provenance: Provenance.prefault({}),
  licence: z.string().max(256).nullable().default(null).describe('SPDX id, or words'),
});

/** What a case holds. Immutable: an edited one is another case. Absent and default are the same. */
export type CaseContent = z.output<typeof CaseShape>;
export type CaseDraft = z.input<typeof CaseShape>;

/** A case with the hash of its content. */
export interface EvalCase extends CaseContent {
  /** sha-256 over the canonical JSON of the content without its defaults, hex. */
  readonly hash: string;
}

/** For OpenAPI and the reference. */
export const EvalCaseShape = CaseShape.extend({ hash: sha256 }).meta({ id: 'EvalCase' });

const DEFAULTS: JsonValue = JSON.parse(JSON.stringify(CaseShape.parse({}))); // all of it is JSON

/** Without members that have their default value, at any level that we define; `input.variables` and the like stay whole. */
function withoutDefaults(value: JsonValue, defaults: JsonValue): JsonValue {
  if (!isObject(value) || !isObject(defaults)) return value;
  const kept: [string, JsonValue][] = [];
  for (const [name, member] of Object.entries(value)) {
    const initial = Object.hasOwn(defaults, name) ? defaults[name] : undefined;
    if (initial === undefined) kept.push([name, member]);
    else if (canonicalJson(member) !== canonicalJson(initial)) kept.push([name, withoutDefaults(member, initial)]);
  }
  return Object.fromEntries(kept);
}

/** Content as files, database and hash have it: members in the order of the shape, defaults left out. */
export function compactCase(content: CaseContent | EvalCase): { readonly [name: string]: JsonValue } {
  const ordered: Record<string, JsonValue> = {};
  const members = content as unknown as Readonly<Record<string, JsonValue>>; // all of it is JSON
  for (const name of Object.keys(CaseShape.shape)) ordered[name] = members[name] ?? null;
  return withoutDefaults(ordered, DEFAULTS) as { readonly [name: string]: JsonValue };
}

function firstIssue(error: z.ZodError): { path: string; message: string } {
  const issue = error.issues[0];
  const path = (issue?.path ?? []).join('.');
  if (issue?.code !== 'unrecognized_keys') return { path, message: issue?.message ?? 'is not a case' };
  const unknown = issue.keys[0] ?? '';
  const known = path === '' ? Object.keys(CaseShape.shape) : ['variables', 'messages', 'files', 'answer', 'facts', 'toolCalls'];
  const close = nearest(unknown, known);
  return { path, message: `has no member ${JSON.stringify(unknown)}${close === null ? '' : `; did you mean ${JSON.stringify(close)}?`}` };
}

/**
 * A case from input of others: checked, completed and hashed.
 * @param place where it stands, for the message: `support.yaml, line 12`
 * @throws PlimsollError `invalid_argument` with place, member and fix
 */
export function readCase(raw: unknown, place: string): EvalCase {
  assertJson(raw, place);
  const parsed = CaseShape.safeParse(raw);
  if (!parsed.success) {
    const { path, message } = firstIssue(parsed.error);
    throw new PlimsollError('invalid_argument', `${place}${path === '' ? '' : `, ${path}`}: ${message}`, { details: { place, path } });
  }
  const content = parsed.data;
  const { variables, messages, files } = content.input;
  const hasInput = Object.keys(variables).length > 0 || messages.length > 0 || files.length > 0;
  // A prompt without variables has tests without input.
  if (!hasInput && content.assertions.length === 0 && content.recorded === null)
    throw new PlimsollError('invalid_argument', `${place}: the case has no input; give input.variables, input.messages or input.files`, {
      details: { place, path: 'input' },
    });
  const text = canonicalJson(compactCase(content));
  const bytes = Buffer.byteLength(text);
  if (bytes > CASE_CAPS.bytes)
    throw new PlimsollError(
      'invalid_argument',
      `${place}: the case has ${bytes} bytes, at most ${CASE_CAPS.bytes} are taken; put long texts into files`,
      { details: { place, bytes } },
    );
  return { ...content, hash: contentHash(text) };
}

/** The cluster by which it is split and counted: cases without one stand alone. */
export function clusterOf(evalCase: Pick<EvalCase, 'cluster' | 'hash'>): string {
  return evalCase.cluster ?? evalCase.hash;
}

/** What stays the same when a case is edited: its own id, else the span that it came from; else nothing does. */
export function caseIdentity({ id, provenance, hash }: Pick<EvalCase, 'id' | 'provenance' | 'hash'>): string {
  if (id !== null) return `id:${id}`;
  return provenance.traceId === null ? `case:${hash}` : `trace:${provenance.traceId}/${provenance.spanId ?? ''}`;
}

/** The question in words: variables of usual names, else all of them, else the last message of the user. */
export function questionOf({ input }: Pick<CaseContent, 'input'>): string {
  const { variables, messages } = input;
  for (const name of ['question', 'query', 'input', 'user_input', 'prompt', 'message', 'text'])
    if (typeof variables[name] === 'string') return variables[name];
  const last = messages.findLast(({ role }) => role === 'user') ?? messages.at(-1);
  if (last !== undefined) return textOf(last.content);
  return Object.values(variables).map(textOf).join('\n');
}

function textOf(value: JsonValue): string {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value)) return JSON.stringify(value);
  return value.map((part: JsonValue) => (isObject(part) && typeof part.text === 'string' ? part.text : JSON.stringify(part))).join('\n');
}
