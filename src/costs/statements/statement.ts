import { z } from 'zod';
import type { CostPeriod, ShowbackRow } from '../cost-queries.ts';
import { CostAllocation } from '../shared/allocate.ts';

const pico = (what: string) => z.string().describe(`${what}, pico-dollars`);

export const StatementLine = z.object({
  team: z.string().nullable(),
  feature: z.string(),
  customer: z.string().nullable(),
  calls: z.int(),
  unpricedCalls: z.int().describe('In no sum: what they cost is not known'),
  picoUsd: pico('Cost'),
});
export type StatementLine = z.infer<typeof StatementLine>;

export const StatementMonth = z
  .string()
  .regex(/^\d{4}-(0[1-9]|1[0-2])$/)
  .describe('Calendar month, UTC: 2026-10');

const StatementChange = z.object({
  team: z.string().nullable(),
  feature: z.string(),
  customer: z.string().nullable(),
  differencePicoUsd: pico('After less before'),
});
type StatementChange = z.infer<typeof StatementChange>;

/** What each team, feature and customer cost in a month, as it was known when it was issued. It never changes; a new version stands beside it. */
export const Statement = z
  .object({
    month: StatementMonth,
    version: z.int().describe('1, 2, 3 …'),
    issuedAt: z.int(),
    issuedBy: z.string(),
    reason: z.string().nullable().describe('Why it was issued again; null = the first'),
    calls: z.int(),
    unpricedCalls: z.int(),
    totalPicoUsd: pico('Cost of the month, the sum of the lines'),
    unallocatedPicoUsd: pico('Of it without a team'),
    differencePicoUsd: z.string().nullable().describe('Total less that of the version before, pico-dollars; null = the first'),
    lines: z.array(StatementLine),
    changes: z.array(StatementChange).describe('Lines that differ from the version before; their differences add up to the difference'),
    allocation: CostAllocation.nullable()
      .default(null)
      .describe('Who bears what, own and shared, by the rules of that day; null = nothing was shared: every team bears its own lines'),
  })
  .meta({ id: 'CostStatement' });
export type Statement = z.infer<typeof Statement>;

/** @param month as `StatementMonth` lets through */
export function periodOfMonth(month: string): CostPeriod {
  const [year = 0, number = 1] = month.split('-').map(Number);
  return { from: Date.UTC(year, number - 1, 1), to: Date.UTC(year, number, 1) };
}

function keyOf({ team, feature, customer }: Pick<StatementLine, 'team' | 'feature' | 'customer'>): string {
  return JSON.stringify([team, feature, customer]);
}

/** Lines whose cost differs, each with its difference. */
function changesOf(lines: readonly StatementLine[], before: readonly StatementLine[]): StatementChange[] {
  const now = new Map(lines.map((line) => [keyOf(line), line]));
  const then = new Map(before.map((line) => [keyOf(line), line]));
  return [...new Set([...now.keys(), ...then.keys()])].flatMap((key) => {
    const line = now.get(key) ?? then.get(key);
    const difference = BigInt(now.get(key)?.picoUsd ?? '0') - BigInt(then.get(key)?.picoUsd ?? '0');
    if (line === undefined || difference === 0n) return [];
    return [{ team: line.team, feature: line.feature, customer: line.customer, differencePicoUsd: difference.toString() }];
  });
}

function toLine({ costPicoUsd, ...line }: ShowbackRow): StatementLine {
  return { ...line, picoUsd: costPicoUsd.toString() };
}

/** The next version of a month's statement. Pure. */
export function issueStatement(
  month: string,
  rows: readonly ShowbackRow[],
  previous: Statement | null,
  issue: { readonly atMs: number; readonly by: string; readonly reason: string | null },
  allocation: CostAllocation | null,
): Statement {
  const lines = rows.map(toLine);
  const sum = (of: readonly ShowbackRow[]): bigint => of.reduce((total, { costPicoUsd }) => total + costPicoUsd, 0n);
  const total = sum(rows);
  return {
    month,
    version: (previous?.version ?? 0) + 1,
    issuedAt: issue.atMs,
    issuedBy: issue.by,
    reason: previous === null ? null : issue.reason,
    calls: rows.reduce((count, { calls }) => count + calls, 0),
    unpricedCalls: rows.reduce((count, { unpricedCalls }) => count + unpricedCalls, 0),
    totalPicoUsd: total.toString(),
    unallocatedPicoUsd: sum(rows.filter(({ team }) => team === null)).toString(),
    differencePicoUsd: previous === null ? null : (total - BigInt(previous.totalPicoUsd)).toString(),
    lines,
    changes: previous === null ? [] : changesOf(lines, previous.lines),
    allocation,
  };
}

/** What a team bears by a statement. */
export const StatementTeam = z.object({
  team: z.string().nullable().describe('Null = nobody'),
  ownPicoUsd: pico('Cost of its own calls'),
  sharedPicoUsd: pico('Its part of shared costs'),
  totalPicoUsd: pico('own + shared'),
});
export type StatementTeam = z.infer<typeof StatementTeam>;

/** Teams by what they bear, the most first; they add up to the cost of the month and its fees. */
export function teamsOf({ lines, allocation }: Pick<Statement, 'lines' | 'allocation'>): StatementTeam[] {
  if (allocation !== null)
    return allocation.teams.map(({ team, ownPicoUsd, sharedPicoUsd, totalPicoUsd }) => ({ team, ownPicoUsd, sharedPicoUsd, totalPicoUsd }));
  const sums = [...Map.groupBy(lines, ({ team }) => team)].map(([team, own]) => ({
    team,
    pico: own.reduce((sum, { picoUsd }) => sum + BigInt(picoUsd), 0n),
  }));
  sums.sort((a, b) => (a.pico === b.pico ? ((a.team ?? '') < (b.team ?? '') ? -1 : 1) : a.pico > b.pico ? -1 : 1));
  return sums.map(({ team, pico: own }) => ({ team, ownPicoUsd: `${own}`, sharedPicoUsd: '0', totalPicoUsd: `${own}` }));
}

/** What has changed in the ledger since a statement was issued: late calls, repricings. */
export const StatementCorrections = z
  .object({
    month: StatementMonth,
    version: z.int().describe('The newest, with which the ledger of now is compared'),
    differencePicoUsd: pico('Ledger of now less the statement, the sum of the lines'),
    lines: z.array(StatementChange),
  })
  .meta({ id: 'CostStatementCorrections' });
export type StatementCorrections = z.infer<typeof StatementCorrections>;

export function correctionsOf(statement: Statement, rows: readonly ShowbackRow[]): StatementCorrections {
  const lines = changesOf(rows.map(toLine), statement.lines);
  const difference = lines.reduce((sum, { differencePicoUsd }) => sum + BigInt(differencePicoUsd), 0n);
  return { month: statement.month, version: statement.version, differencePicoUsd: difference.toString(), lines };
}

/** Whether a new version would say the same. */
export function saysTheSame(a: Statement, b: Statement): boolean {
  const said = ({ lines, allocation }: Statement): string => JSON.stringify([lines, allocation]);
  return said(a) === said(b);
}
