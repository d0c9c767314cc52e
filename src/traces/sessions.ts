import { z } from 'zod';
import type { Scope } from '../kernel/scope.ts';
import { CostStatus } from '../models/usage.ts';
import { TraceStatus } from './model.ts';

const text = z.string().min(1).max(512);
const epochMs = z.int().describe('Epoch milliseconds');
const picoUsd = z
  .string()
  .regex(/^-?\d+$/)
  .describe('US dollars × 10¹² as a decimal integer');

/** Numbers over the requests of a session or a user. */
const usage = {
  requests: z.int(),
  errors: z.int(),
  aborted: z.int(),
  inputTokens: z.int(),
  outputTokens: z.int(),
  costPicoUsd: picoUsd.describe('Sum of the priced requests'),
  unpricedRequests: z.int().describe('Requests whose cost is unknown and is not in the sum'),
  estimatedCostRequests: z.int().describe('Requests in the sum whose tokens are estimated'),
  firstAt: epochMs.describe('Start of the first request, within the days of the range'),
  lastAt: epochMs.describe('End of the last request'),
};

export const SessionSummary = z
  .object({
    session: z.string(),
    users: z.array(z.string()).describe('At most 5'),
    userCount: z.int(),
    features: z.array(z.string()).describe('At most 5'),
    ...usage,
  })
  .meta({ id: 'SessionSummary' });
export type SessionSummary = z.infer<typeof SessionSummary>;

export const UserSummary = z
  .object({
    user: z.string(),
    sessionCount: z.int().describe('Sessions with a name'),
    features: z.array(z.string()).describe('At most 5'),
    ...usage,
  })
  .meta({ id: 'UserSummary' });
export type UserSummary = z.infer<typeof UserSummary>;

const listQuery = {
  from: z.coerce
    .number()
    .int()
    .optional()
    .describe('Epoch ms; whole UTC days are counted, from the one that holds it; 7 days before `to` when absent'),
  to: z.coerce.number().int().optional().describe('Epoch ms, exclusive; now when absent'),
  feature: text.optional(),
  search: text.optional().describe('What the name contains'),
  sort: z.enum(['recent', 'cost', 'requests', 'errors']).default('recent').describe('Falling'),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  offset: z.coerce.number().int().min(0).max(10_000).default(0),
};
export const SessionQuery = z.strictObject({ ...listQuery, user: text.optional() });
export type SessionQuery = z.infer<typeof SessionQuery>;
export const UserQuery = z.strictObject(listQuery);
export type UserQuery = z.infer<typeof UserQuery>;

export const SessionPage = z.object({ sessions: z.array(SessionSummary), hasMore: z.boolean() }).meta({ id: 'SessionPage' });
export type SessionPage = z.infer<typeof SessionPage>;
export const UserPage = z.object({ users: z.array(UserSummary), hasMore: z.boolean() }).meta({ id: 'UserPage' });
export type UserPage = z.infer<typeof UserPage>;

/** One request of a session: what was new in it, and its answer. */
export const SessionTurn = z
  .object({
    traceId: z.string(),
    spanId: z.string(),
    startedAt: epochMs,
    name: z.string(),
    feature: z.string(),
    user: z.string().nullable(),
    models: z.array(z.string()),
    status: TraceStatus,
    statusMessage: z.string(),
    inputTokens: z.int().nullable(),
    outputTokens: z.int().nullable(),
    costPicoUsd: picoUsd.nullable(),
    costStatus: CostStatus,
    durationMs: z.number(),
    input: z.string().nullable().describe('The messages since the last answer, as text, at most 16 384 characters; null when none is kept'),
    output: z.string().nullable(),
  })
  .meta({ id: 'SessionTurn' });
export type SessionTurn = z.infer<typeof SessionTurn>;

export const SessionDetail = z
  .object({ session: SessionSummary, turns: z.array(SessionTurn).describe('In the order of time'), nextAfter: z.string().nullable() })
  .meta({ id: 'SessionDetail' });
export type SessionDetail = z.infer<typeof SessionDetail>;

export const UserDetail = z
  .object({
    user: UserSummary,
    days: z.array(z.object({ at: epochMs.describe('Start of the UTC day'), requests: z.int(), errors: z.int(), costPicoUsd: picoUsd })),
  })
  .meta({ id: 'UserDetail' });
export type UserDetail = z.infer<typeof UserDetail>;

/** What a filter of the trace list can be set to. */
export const ValueField = z.enum([
  'feature',
  'team',
  'model',
  'provider',
  'errorType',
  'user',
  'session',
  'route',
  'customer',
  'attribute',
]);
export type ValueField = z.infer<typeof ValueField>;

export const ValueQuery = z.strictObject({
  field: ValueField,
  name: text.optional().describe('With `attribute`: the attribute whose values are asked for; without it, the names of attributes'),
  search: z.string().max(512).optional().describe('What the value contains, without case'),
  from: z.coerce.number().int().optional(),
  to: z.coerce.number().int().optional(),
  limit: z.coerce.number().int().min(1).max(100).default(20),
});
export type ValueQuery = z.infer<typeof ValueQuery>;

export const FieldValues = z
  .object({
    values: z.array(z.object({ value: z.string(), count: z.int() })).describe('The most frequent ones first'),
    counted: z.enum(['requests', 'newest_spans']).describe('What `count` counts: all requests of the range, or its newest 20 000 spans'),
  })
  .meta({ id: 'FieldValues' });
export type FieldValues = z.infer<typeof FieldValues>;

interface Resolved {
  readonly from: number;
  readonly to: number;
}

/** Sessions and users over whole UTC days, and what filters can be set to. Reads throw as those of `TraceStore` do. */
export interface SessionStore {
  sessions(scope: Scope, query: SessionQuery & Resolved): Promise<SessionPage>;
  /** Null when no request of it is stored. At most 200 turns. @param after `nextAfter` of the page before */
  session(scope: Scope, session: string, after: string | null): Promise<SessionDetail | null>;
  users(scope: Scope, query: UserQuery & Resolved): Promise<UserPage>;
  /** Null when there is no request of the user in the range. */
  user(scope: Scope, user: string, range: Resolved): Promise<UserDetail | null>;
  values(scope: Scope, query: ValueQuery & Resolved): Promise<FieldValues>;
}
