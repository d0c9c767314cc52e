import type { VirtualKey } from '../api/schema.ts';
import type { State } from '../ui/state-mark.tsx';

export interface KeyState {
  readonly state: State;
  readonly word: string;
  readonly isUsable: boolean;
}

/** A revocation in the future is the grace period of a rotated key: it works until then. */
export function keyState(key: Pick<VirtualKey, 'expiresAt' | 'revokedAt'>, nowMs: number): KeyState {
  if (key.revokedAt !== null && key.revokedAt <= nowMs) return { state: 'neutral', word: 'Revoked', isUsable: false };
  if (key.expiresAt !== null && key.expiresAt <= nowMs) return { state: 'neutral', word: 'Expired', isUsable: false };
  if (key.revokedAt !== null) return { state: 'warning', word: 'Being replaced', isUsable: true };
  return { state: 'ok', word: 'Active', isUsable: true };
}

export interface KeyForm {
  readonly name: string;
  readonly feature: string;
  readonly team: string;
  readonly models: string;
  readonly expiresAt: number | null;
}

/** Body of a creation: what is left empty is left out, and models are split at commas and spaces. */
export function newKeyOf(form: KeyForm): { name: string; feature?: string; team?: string; models?: string[]; expiresAt?: number } {
  const models = form.models.split(/[\s,]+/).filter((name) => name !== '');
  return {
    name: form.name.trim(),
    ...(form.feature === '' ? {} : { feature: form.feature }),
    ...(form.team.trim() === '' ? {} : { team: form.team.trim() }),
    ...(models.length === 0 ? {} : { models }),
    ...(form.expiresAt === null ? {} : { expiresAt: form.expiresAt }),
  };
}
