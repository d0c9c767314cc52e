import type { JournaledEvent } from '../../kernel/event-log/journaled-event.ts';
import { formatUsd } from '../../kernel/money.ts';
import type { Counter } from './counter.ts';
import { amountText, describeMember, ownerText } from './refusal.ts';

interface Tenant {
  readonly organisationId: string;
  readonly environment: string;
}

function detailsOf(counter: Counter, tenant: Tenant): Record<string, unknown> {
  const { limit, label } = counter;
  const { rule } = limit;
  return {
    ...tenant,
    limit: limit.id,
    scope: limit.scope,
    member: label,
    unit: limit.unit === 'nano_usd' ? 'usd' : limit.unit,
    period: limit.periodName,
    capacity: amountText(limit, limit.capacity),
    onExceed: rule.onExceed,
    owner: rule.owner,
    costOwner: rule.costOwner,
  };
}

function subjectOf({ limit, label }: Counter): string {
  return limit.scope === 'global' ? 'global' : `${limit.scope}/${label}`;
}

/** A share of a budget is spent. The same share of the same budget and period is one event, whoever finds it. */
export function budgetReached(counter: Counter, percent: number, tenant: Tenant, atMs: number): JournaledEvent {
  const { limit } = counter;
  const spent = formatUsd(counter.spentByAllPicoUsd);
  const ends = counter.periodEndMs;
  return {
    key: ['limit.budget_reached', limit.id, counter.member, counter.periodStartMs ?? '', limit.capacity, percent].join('\n'),
    name: 'limit.budget_reached',
    subject: subjectOf(counter),
    severity: percent >= 100 ? 'critical' : percent >= 80 ? 'warning' : 'info',
    message: `${percent} % of the budget of ${describeMember(limit.scope, counter.label)} is spent: $${spent} of $${amountText(limit, limit.capacity)} per ${limit.periodName}${ends === null ? '' : `, which ends at ${new Date(ends).toISOString()}`}.${ownerText(limit.rule)}`,
    details: { ...detailsOf(counter, tenant), percent, spentUsd: spent, periodStartMs: counter.periodStartMs, periodEndMs: ends },
    atMs,
  };
}

/** More than a limit that only alerts allows. One event a window; a minute for calls in flight. */
export function limitExceeded(counter: Counter, used: number, tenant: Tenant, atMs: number): JournaledEvent {
  const { limit } = counter;
  const what = limit.unit === 'concurrency' ? 'calls in flight' : `${limit.unit} per ${limit.periodName}`;
  return {
    key: ['limit.exceeded', limit.id, counter.member, Math.floor(atMs / alertEveryMs(counter))].join('\n'),
    name: 'limit.exceeded',
    subject: subjectOf(counter),
    severity: 'warning',
    message: `${describeMember(limit.scope, counter.label)} is over its limit: ${used} of ${limit.capacity} ${what}. The limit only alerts.${ownerText(limit.rule)}`,
    details: { ...detailsOf(counter, tenant), used },
    atMs,
  };
}

/** An agent run was stopped. One event per run and day. */
export function loopStopped(
  feature: { readonly name: string; readonly owner: string | null; readonly costOwner: string | null },
  session: string | null,
  reason: string,
  tenant: Tenant,
  atMs: number,
): JournaledEvent {
  return {
    key: ['agent.loop_stopped', feature.name, session ?? '', Math.floor(atMs / 86_400_000)].join('\n'),
    name: 'agent.loop_stopped',
    subject: `feature/${feature.name}`,
    severity: 'warning',
    message: `An agent run of "${feature.name}"${session === null ? '' : ` (session "${session}")`} was stopped: ${reason}`,
    details: { ...tenant, session, owner: feature.owner, costOwner: feature.costOwner },
    atMs,
  };
}

const MINUTE_MS = 60_000;

/** How often a limit that only alerts does. */
export function alertEveryMs(counter: Counter): number {
  return Math.max(MINUTE_MS, counter.limit.windowMs ?? MINUTE_MS);
}
