import { z } from 'zod';
import { PlimsollError } from '../../kernel/errors.ts';
import { lineOf, linkOf, momentOf, type StatusReader, type StatusSeverity, worstOf } from './model.ts';

const IMPACTS: Readonly<Record<string, StatusSeverity>> = {
  AVAILABLE: 'operational',
  AVAILABLE_INFORMATION: 'operational',
  SERVICE_INFORMATION: 'operational',
  SERVICE_DISRUPTION: 'partial_outage',
  SERVICE_OUTAGE: 'major_outage',
};

const ORIGIN = 'https://status.cloud.google.com/';
const MAX_INCIDENTS = 2000;

const Incident = z.looseObject({
  id: z.string(),
  end: z.unknown().optional(),
  status_impact: z.unknown().optional(),
  affected_products: z.array(z.looseObject({ title: z.unknown().optional() })).default([]),
});

/**
 * Google Cloud's `incidents.json`: a list of incidents of the past, newest first; one without `end` is open. `status_impact` tells how bad
 * it is (`severity` does not), `affected_products[].title` what it is about. No open incident = all is well.
 * @see https://status.cloud.google.com/incidents.schema.json
 */
export const readGoogleCloud: StatusReader = (body, wanted) => {
  if (!Array.isArray(body)) throw new PlimsollError('provider_bad_response', 'the page is not a list of incidents');
  const products = new Set(wanted.map((name) => name.toLowerCase()));
  const incidents = body.slice(0, MAX_INCIDENTS).flatMap((entry: unknown) => {
    const parsed = Incident.safeParse(entry);
    if (!parsed.success) throw new PlimsollError('provider_bad_response', 'an entry of the page is not an incident');
    const { id, end, status_impact: impact, affected_products: affected, ...rest } = parsed.data;
    if (typeof end === 'string' && end !== '') return [];
    const titles = affected.map(({ title }) => lineOf(title));
    if (products.size > 0 && !titles.some((title) => products.has(title.toLowerCase()))) return [];
    const severity = typeof impact === 'string' && Object.hasOwn(IMPACTS, impact) ? (IMPACTS[impact] as StatusSeverity) : 'degraded'; // hasOwn
    const uri = typeof rest.uri === 'string' && URL.canParse(rest.uri, ORIGIN) ? new URL(rest.uri, ORIGIN).href : null;
    const about = { id: lineOf(id), title: lineOf(rest.external_desc), startedAtMs: momentOf(rest.begin), url: linkOf(uri) };
    return [{ ...about, severity, titles }];
  });
  const components = wanted.map((name) => ({
    name,
    severity: worstOf(
      incidents.filter(({ titles }) => titles.some((title) => title.toLowerCase() === name.toLowerCase())).map(({ severity }) => severity),
    ),
  }));
  const severity = worstOf(incidents.map((incident) => incident.severity));
  const description =
    severity === 'operational' ? 'no open incident' : (incidents.find((incident) => incident.severity === severity)?.title ?? '');
  return { severity, description, components, incidents: incidents.map(({ titles: _titles, ...incident }) => incident) };
};
