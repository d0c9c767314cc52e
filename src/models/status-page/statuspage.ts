import { z } from 'zod';
import { PlimsollError } from '../../kernel/errors.ts';
import { lineOf, linkOf, momentOf, type StatusIncident, type StatusReader, type StatusSeverity, worstOf } from './model.ts';

/** Of the page as a whole, and of incidents (`impact`). */
const INDICATORS: Readonly<Record<string, StatusSeverity>> = {
  none: 'operational',
  maintenance: 'maintenance',
  minor: 'degraded',
  major: 'partial_outage',
  critical: 'major_outage',
};

const COMPONENT_STATES: Readonly<Record<string, StatusSeverity>> = {
  operational: 'operational',
  under_maintenance: 'maintenance',
  degraded_performance: 'degraded',
  partial_outage: 'partial_outage',
  major_outage: 'major_outage',
};

const MAX_COMPONENTS = 500;
const MAX_INCIDENTS = 50;
const loose = z.record(z.string(), z.unknown());

/** Only what is used, and nothing of it trusted. */
const Summary = z.looseObject({
  status: z.looseObject({ indicator: z.string(), description: z.unknown().optional() }),
  components: z.array(loose).default([]),
  incidents: z.array(loose).default([]),
});

/** Unknown words are no all-clear: something is up that this version has no name for. */
function mapped(table: Readonly<Record<string, StatusSeverity>>, word: unknown): StatusSeverity {
  return typeof word === 'string' && Object.hasOwn(table, word) ? (table[word] as StatusSeverity) : 'degraded'; // hasOwn, just now
}

function incidentOf(incident: Readonly<Record<string, unknown>>): StatusIncident[] {
  if (incident.status === 'resolved' || incident.status === 'postmortem' || typeof incident.resolved_at === 'string') return [];
  return [
    {
      id: lineOf(incident.id),
      title: lineOf(incident.name),
      severity: mapped(INDICATORS, incident.impact),
      startedAtMs: momentOf(incident.started_at ?? incident.created_at),
      url: linkOf(incident.shortlink),
    },
  ];
}

/**
 * Atlassian Statuspage's `GET /api/v2/summary.json`: `status.indicator` (none, minor, major, critical), `components[]`, unresolved `incidents[]`.
 * @see https://www.atlassianstatuspage.io/api/v2/ (each page documents itself at /api/v2)
 */
export const readStatuspage: StatusReader = (body, wanted) => {
  const parsed = Summary.safeParse(body);
  if (!parsed.success)
    throw new PlimsollError('provider_bad_response', 'the page is not a Statuspage v2 summary: it has no status.indicator');
  const { status } = parsed.data;
  const all = parsed.data.components
    .slice(0, MAX_COMPONENTS)
    .map((component) => ({ name: lineOf(component.name), severity: mapped(COMPONENT_STATES, component.status) }));
  const incidents = parsed.data.incidents.slice(0, MAX_INCIDENTS).flatMap(incidentOf);
  const description = lineOf(status.description);
  if (wanted.length === 0) return { severity: mapped(INDICATORS, status.indicator), description, components: [], incidents };
  const components = wanted.map((name) => {
    const found = all.find((component) => component.name.toLowerCase() === name.toLowerCase());
    if (found !== undefined) return found;
    const names = all.map((component) => component.name);
    throw new PlimsollError(
      'provider_bad_response',
      `the page has no component "${name}"; it has ${names.slice(0, 30).join(', ') || 'none'}`,
    );
  });
  return { severity: worstOf(components.map(({ severity }) => severity)), description, components, incidents };
};
