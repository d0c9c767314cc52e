import { z } from 'zod';

/** From good to bad; a page's own words are mapped to these. */
const SEVERITIES = ['operational', 'maintenance', 'degraded', 'partial_outage', 'major_outage'] as const;
export type StatusSeverity = (typeof SEVERITIES)[number];

/** What a vendor says of itself. It corroborates what we measure; it never decides anything by itself. */
export interface StatusReading {
  readonly severity: StatusSeverity;
  /** The page's own words, cut to a line. */
  readonly description: string;
  readonly components: readonly { readonly name: string; readonly severity: StatusSeverity }[];
  /** Incidents that are open. */
  readonly incidents: readonly StatusIncident[];
}

export interface StatusIncident {
  readonly id: string;
  readonly title: string;
  readonly severity: StatusSeverity;
  readonly startedAtMs: number | null;
  readonly url: string | null;
}

/** How a vendor's page is read. @throws PlimsollError `provider_bad_response` for what is not in the vendor's format */
export type StatusReader = (body: unknown, components: readonly string[]) => StatusReading;

export const STATUS_PAGE_KINDS = ['statuspage', 'google-cloud'] as const;
export type StatusPageKind = (typeof STATUS_PAGE_KINDS)[number];

export function worstOf(severities: readonly StatusSeverity[]): StatusSeverity {
  return SEVERITIES[Math.max(0, ...severities.map((severity) => SEVERITIES.indexOf(severity)))] ?? 'operational';
}

const MAX_LINE_CHARACTERS = 300;

/** One line of a stranger's text: no control characters, no more than a line. */
export function lineOf(text: unknown): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  const line = typeof text === 'string' ? text.replaceAll(/[\u0000-\u001f\u007f\u2028\u2029]+/g, ' ').trim() : '';
  return line.length <= MAX_LINE_CHARACTERS ? line : `${line.slice(0, MAX_LINE_CHARACTERS)}…`;
}

/** A link that may be shown: http or https, nothing else. */
export function linkOf(text: unknown): string | null {
  if (typeof text !== 'string' || text.length > 2000 || !URL.canParse(text)) return null;
  return /^https?:$/.test(new URL(text).protocol) ? text : null;
}

/** Epoch ms of an ISO time; null for anything else. */
export function momentOf(text: unknown): number | null {
  const ms = typeof text === 'string' ? Date.parse(text) : Number.NaN;
  return Number.isNaN(ms) ? null : ms;
}

const httpUrl = z.string().refine((text) => linkOf(text) !== null && new URL(text).username === '', 'not an http or https address');

/** `providers.<name>.statusPage`; polled only where it stands. */
export const StatusPageConfig = z.strictObject({
  url: httpUrl
    .optional()
    .describe('Address of the JSON itself, e.g. https://status.openai.com/api/v2/summary.json; openai and anthropic have their own'),
  kind: z
    .enum(STATUS_PAGE_KINDS)
    .default('statuspage')
    .describe('statuspage: Statuspage v2 summary.json, also incident.io’s copy of it; google-cloud: incidents.json. Others are not read'),
  components: z
    .array(z.string().trim().min(1).max(200))
    .max(50)
    .default([])
    .describe('Only these components (Google Cloud: products) count, by their names on the page; empty = the page as a whole'),
  everySeconds: z.int().min(60).max(86_400).default(60).describe('How often it is asked'),
});
export type StatusPageConfig = z.output<typeof StatusPageConfig>;

/** The vendors' own pages. https://status.anthropic.com answers with a redirect to the second. */
const KNOWN_PAGES: Readonly<Record<string, string>> = {
  openai: 'https://status.openai.com/api/v2/summary.json',
  anthropic: 'https://status.claude.com/api/v2/summary.json',
};

/** Where the page of a provider is; null when it has to be said. */
export function statusPageUrl(providerKind: string, page: Pick<StatusPageConfig, 'url' | 'kind'>): string | null {
  if (page.url !== undefined) return page.url;
  if (page.kind === 'google-cloud') return 'https://status.cloud.google.com/incidents.json';
  return KNOWN_PAGES[providerKind] ?? null;
}
