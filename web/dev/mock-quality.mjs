// Made-up scores, load lines and outcomes. The lines are computed as the server does it, from counts of the made-up traces.
import { outcomeEconomics } from '../../src/costs/outcomes.ts';
import { DEFAULT_SLO } from '../../src/features/slo-config.ts';
import { loadLines } from '../../src/slo/load-lines.ts';

const SCORE = {
  kind: 'score',
  feature: null,
  spanId: null,
  session: null,
  externalId: null,
  evaluator: null,
  evaluatorTraceId: null,
  user: null,
  comment: null,
  valuePicoUsd: null,
  metadata: {},
};

/** @param review a review of the team; else what others said of the trace */
export function mockScores(trace, review) {
  if (review) return [{ ...SCORE, name: 'thumbs', dataType: 'boolean', source: 'human', receivedAt: review.at, ...review }];
  if (!trace || trace.traceId.charCodeAt(0) % 3 !== 0) return [];
  const at = trace.startedAt + 42_000;
  const base = { ...SCORE, at, receivedAt: at + 90, traceId: trace.traceId };
  const feedback = { ...base, kind: 'feedback', source: 'user', user: trace.user ?? 'u-1' };
  return [
    { ...feedback, id: 's1', name: 'thumbs', dataType: 'boolean', value: false, comment: 'It named the wrong parcel, <b>again</b>' },
    { ...feedback, id: 's2', name: 'csat', dataType: 'numeric', value: 2 },
    { ...base, id: 's3', name: 'faithfulness', dataType: 'numeric', value: 0.8125, source: 'llm', evaluator: 'faithfulness-judge@3' },
    {
      ...base,
      id: 's4',
      kind: 'outcome',
      name: 'resolved',
      dataType: 'boolean',
      value: true,
      source: 'code',
      traceId: null,
      externalId: 'ticket-4711-of-a-customer-with-a-rather-long-name',
    },
  ];
}

function quantile(sorted, line, level) {
  const at = (place) => sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(sorted.length * place) - 1))] ?? null;
  const half = sorted.length === 0 ? 1 : 1.96 * Math.sqrt((level * (1 - level)) / sorted.length);
  return {
    count: sorted.length,
    over: sorted.filter((value) => value > line).length,
    value: at(level),
    interval: level + half >= 1 ? null : [at(level - half), at(level + half)],
  };
}

function evidence(traces, name) {
  const own = traces.filter(({ feature }) => feature === name);
  const answered = own.filter(({ status }) => status === 'ok');
  const times = (list) => list.sort((a, b) => a - b);
  const durations = times(answered.map(({ durationMs }) => durationMs));
  const priced = own.filter(({ costPicoUsd }) => costPicoUsd !== null).map(({ costPicoUsd }) => Number(costPicoUsd) / 1e12);
  const isRated = name.length % 2 === 0;
  const stars = Math.round(own.length / 6);
  const totals = { feature: name, dataType: 'numeric', sumOfSquares: 0, categories: [] };
  return {
    calls:
      own.length === 0
        ? null
        : {
            feature: name,
            calls: own.length,
            errors: own.filter(({ status }) => status === 'error').length,
            aborted: own.filter(({ status }) => status === 'aborted').length,
            ttftP95: quantile(
              times(answered.filter(({ isStream, ttftMs }) => isStream && ttftMs !== null).map(({ ttftMs }) => ttftMs)),
              800,
              0.95,
            ),
            durationP50: quantile(durations, 2_000, 0.5),
            durationP99: quantile(durations, 10_000, 0.99),
            pricedCalls: priced.length,
            costUsd: priced.reduce((sum, cost) => sum + cost, 0),
            costUsdSquares: priced.reduce((sum, cost) => sum + cost ** 2, 0),
            validOutputs: isRated ? own.length : 0,
            invalidOutputs: isRated ? Math.round(own.length / 150) : 0,
          },
    answers: { feature: name, classified: answered.length, refused: Math.round(answered.length / 180), partial: 0 },
    repeats: { feature: name, asked: own.filter(({ user }) => user !== null).length, repeated: Math.round(own.length / 60) },
    scores: isRated
      ? [{ ...totals, kind: 'feedback', name: 'csat', source: 'user', count: stars, sum: stars * 4.4, least: 1, most: 5 }]
      : [],
    keepsTexts: true,
  };
}

export function mockLoadLines(traces, { from, to, feature }, features) {
  const names = [...new Set([...features.map(({ name }) => name), ...traces.map((trace) => trace.feature)])];
  return {
    from: Number(from),
    to: Number(to),
    features: names
      .filter((name) => feature === undefined || name === feature)
      .map((name) => ({ feature: name, lines: loadLines({ ...DEFAULT_SLO, costPerCallUsd: 0.003 }, evidence(traces, name)) })),
  };
}

export function mockOutcomes(traces, { from, to, feature }, features) {
  const rows = features
    .filter(({ name }) => feature === undefined || name === feature)
    .map(({ name }) => ({ name, own: traces.filter((trace) => trace.feature === name) }));
  const outcomes = rows
    .filter(({ own }) => own.length > 50)
    .map(({ name, own }) => ({
      feature: name,
      outcome: 'resolved',
      reported: Math.round(own.length / 5),
      succeeded: Math.round(own.length / 7),
      valuePicoUsd: BigInt(own.length) * 2_500_000_000_000n,
      valued: Math.round(own.length / 9),
    }));
  const costs = rows.map(({ name, own }) => ({
    key: name,
    calls: own.length,
    unpricedCalls: 0,
    costPicoUsd: own.reduce((sum, { costPicoUsd }) => sum + BigInt(costPicoUsd ?? 0), 0n),
    users: 0,
    userCostPicoUsd: 0n,
    sessions: 0,
    sessionCostPicoUsd: 0n,
  }));
  return outcomeEconomics({ from: Number(from), to: Number(to) }, features, outcomes, costs);
}
