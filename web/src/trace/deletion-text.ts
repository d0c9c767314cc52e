import type { Span } from '../api/schema.ts';

/** E.g. `deleted after 30 days by retention.messages`. */
export function deletionText({ afterDays, by }: NonNullable<Span['textsDeleted']>): string {
  return `deleted after ${afterDays} ${afterDays === 1 ? 'day' : 'days'} by ${by}`;
}
