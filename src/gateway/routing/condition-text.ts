import type { NumberRange, RouteCondition } from './policy.ts';

function range({ min, max }: NumberRange): string {
  if (min === undefined) return `≤ ${max}`;
  return max === undefined ? `≥ ${min}` : `${min} to ${max}`;
}

function timeText({ zone, from, to, days }: NonNullable<RouteCondition['time']>): string {
  const hours = from === undefined && to === undefined ? [] : [`${from ?? '00:00'}–${to ?? '24:00'}`];
  return [...hours, ...(days === undefined ? [] : [days.join(' ')]), zone].join(' ');
}

/** A target's `when` in words; all parts must hold. */
export function conditionText(when: RouteCondition): string {
  const parts: string[] = [];
  for (const [tag, values] of Object.entries(when.tags ?? {})) parts.push(`tag ${tag} = ${values.join(' or ')}`);
  if (when.features !== undefined) parts.push(`feature ${when.features.join(' or ')}`);
  if (when.teams !== undefined) parts.push(`team ${when.teams.join(' or ')}`);
  if (when.inputTokens !== undefined) parts.push(`input ${range(when.inputTokens)} tokens`);
  if (when.languages !== undefined) parts.push(`language ${when.languages.join(' or ')}`);
  if (when.time !== undefined) parts.push(timeText(when.time));
  for (const [name, bounds] of Object.entries(when.parameters ?? {})) parts.push(`${name} ${range(bounds)}`);
  if (when.isStream !== undefined) parts.push(when.isStream ? 'streams' : 'no streams');
  if (when.hasTools !== undefined) parts.push(when.hasTools ? 'with tools' : 'without tools');
  return parts.join(', ');
}
