import type { RoutingReport } from './report.ts';

/** Backslash, quote and line end are what a Prometheus label escapes; names in a snapshot have none of them, decisions are ours. */
function labels(pairs: Readonly<Record<string, string>>): string {
  return Object.entries(pairs)
    .map(([name, value]) => `${name}="${value.replace(/[\\"\n]/g, '_')}"`)
    .join(',');
}

function family(lines: string[], name: string, type: 'counter' | 'gauge', help: string): void {
  lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
}

/** Health of targets and decisions of routes in Prometheus' text format. Amounts only: the numbers of several workers are added up. */
export function writeRoutingMetrics(lines: string[], { targets, routes, idempotency }: RoutingReport): void {
  family(lines, 'plimsoll_target_healthy', 'gauge', 'Gateway workers that would ask this target now; 0 = it is out everywhere');
  for (const { model, provider, blockedForMs } of targets)
    lines.push(`plimsoll_target_healthy{${labels({ model, provider })}} ${blockedForMs === 0 ? 1 : 0}`);
  family(lines, 'plimsoll_target_ejections_total', 'counter', 'Times that a target was taken out because it failed too often');
  for (const { model, provider, ejections } of targets)
    lines.push(`plimsoll_target_ejections_total{${labels({ model, provider })}} ${ejections}`);
  family(lines, 'plimsoll_retries_total', 'counter', 'Tries at a target that had failed in the same call');
  for (const { name, retries } of routes) lines.push(`plimsoll_retries_total{${labels({ route: name })}} ${retries}`);
  family(lines, 'plimsoll_hedges_total', 'counter', 'Calls for which a second target was asked beside a slow first one, by who answered');
  for (const { name, hedges, hedgesWon } of routes) {
    lines.push(`plimsoll_hedges_total{${labels({ route: name, winner: 'second' })}} ${hedgesWon}`);
    lines.push(`plimsoll_hedges_total{${labels({ route: name, winner: 'first_or_none' })}} ${hedges - hedgesWon}`);
  }
  family(lines, 'plimsoll_route_decisions_total', 'counter', 'Calls by why they went where they went');
  for (const { name, calls, decisions } of routes) {
    const explained = Object.values(decisions).reduce((sum, count) => sum + count, 0);
    lines.push(`plimsoll_route_decisions_total{${labels({ route: name, reason: 'plain' })}} ${Math.max(0, calls - explained)}`);
    for (const [reason, count] of Object.entries(decisions))
      lines.push(`plimsoll_route_decisions_total{${labels({ route: name, reason })}} ${count}`);
  }
  family(lines, 'plimsoll_idempotent_replays_total', 'counter', 'Calls answered with the kept answer of an earlier one');
  lines.push(`plimsoll_idempotent_replays_total ${idempotency.repeats}`);
}
