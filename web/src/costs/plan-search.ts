/** What a plan is made from; names and texts as the API takes them. */
export const PLAN_FIELDS = [
  'feature',
  'requestsPerDay',
  'inputTokens',
  'outputTokens',
  'cachedRatio',
  'models',
  'growth',
  'gpuHourUsd',
  'gpusPerReplica',
  'tokensPerSecond',
  'utilisation',
] as const;
export type PlanField = (typeof PLAN_FIELDS)[number];
export type PlanSearch = Partial<Record<PlanField, string>>;

const WORDS: ReadonlySet<PlanField> = new Set(['feature', 'models']);

/** Keeps names, and numbers that are numbers. */
export function parsePlanSearch(search: Readonly<Record<string, unknown>>): PlanSearch {
  const plan: PlanSearch = {};
  for (const field of PLAN_FIELDS) {
    const value = search[field];
    const text = typeof value === 'string' || typeof value === 'number' ? String(value).trim().slice(0, 2_000) : '';
    if (text !== '' && (WORDS.has(field) || (Number.isFinite(Number(text)) && Number(text) >= -1))) plan[field] = text;
  }
  return plan;
}

/** As the API takes it: a described load has a model; without one the plan is made from traces, and what describes a load is left out. */
export function planRequest(plan: PlanSearch): PlanSearch {
  if (plan.models !== undefined) return plan;
  const { inputTokens: _input, outputTokens: _output, cachedRatio: _cached, ...rest } = plan;
  return rest;
}
