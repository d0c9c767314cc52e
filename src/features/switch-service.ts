import type { Clock } from '../kernel/clock.ts';
import { PlimsollError } from '../kernel/errors.ts';
import type { EventLog } from '../kernel/event-log/event-log.ts';
import { newUuidV7 } from '../kernel/ids.ts';
import type { Actor, Scope } from '../kernel/scope.ts';
import { nearest } from '../kernel/suggest.ts';
import type { FeatureCatalogue } from './service.ts';
import { describeThrottle, type FeatureSwitch, type FeatureSwitchDraft, type FeatureSwitchView, toSwitchView } from './switch.ts';
import type { FeatureSwitchStore } from './switch-store.ts';

export interface FeatureSwitchServiceOptions {
  /** Inside a transaction: its own stores. */
  readonly store: FeatureSwitchStore;
  readonly eventLog: EventLog;
  readonly catalogue: FeatureCatalogue;
  /** What people call an actor. */
  readonly nameOf: (scope: Scope, actor: Actor) => Promise<string>;
  readonly clock: Clock;
}

export interface FeatureSwitchService {
  /** Pauses or throttles; a switch in force before is replaced. @throws PlimsollError `not_found`, `invalid_argument`, `conflict` */
  set(scope: Scope, feature: string, draft: FeatureSwitchDraft, actor: Actor): Promise<FeatureSwitchView>;
  /** Ends the switch in force. @throws PlimsollError `not_found` when there is none */
  end(scope: Scope, feature: string, reason: string | null, actor: Actor): Promise<FeatureSwitchView>;
  list(
    scope: Scope,
    feature: string,
    page: { readonly cursor: string | null; readonly limit: number },
  ): Promise<{ switches: FeatureSwitchView[]; nextCursor: string | null }>;
  /** Switches in force, by feature. */
  inForce(scope: Scope): Promise<ReadonlyMap<string, FeatureSwitchView>>;
  /** Closes what has expired and logs `feature.switch_expired` for each. @returns how many */
  endExpired(scope: Scope): Promise<number>;
}

function until(expiresAtMs: number | null): string {
  return expiresAtMs === null ? 'until somebody ends it' : `until ${new Date(expiresAtMs).toISOString()}`;
}

function whatIsOn(value: FeatureSwitch): string {
  return value.kind === 'pause' ? 'paused' : `throttled to ${describeThrottle(value)}`;
}

export function createFeatureSwitchService(options: FeatureSwitchServiceOptions): FeatureSwitchService {
  const { store, eventLog, catalogue, nameOf, clock } = options;

  const requireFeature = (scope: Scope, name: string): void => {
    const known = catalogue.list(scope).map((feature) => feature.name);
    if (known.includes(name)) return;
    const close = nearest(name, known);
    const hint = close === null ? `Known: ${known.slice(0, 20).join(', ') || 'none'}.` : `Did you mean "${close}"?`;
    throw new PlimsollError('not_found', `There is no feature "${name}". ${hint}`, { details: { param: 'name', suggestion: close } });
  };

  return {
    async set(scope, feature, draft, actor) {
      requireFeature(scope, feature);
      const nowMs = clock.nowMs();
      const expiresAtMs = draft.expiresAt ?? (draft.forMs === undefined ? null : nowMs + draft.forMs);
      if (expiresAtMs !== null && expiresAtMs <= nowMs) {
        throw new PlimsollError('invalid_argument', `expiresAt: ${new Date(expiresAtMs).toISOString()} is in the past.`, {
          details: { param: 'expiresAt' },
        });
      }
      const next: FeatureSwitch = {
        id: newUuidV7(nowMs),
        feature,
        kind: draft.kind,
        requestsPerSecond: draft.requestsPerSecond ?? null,
        shareRatio: draft.shareRatio ?? null,
        reason: draft.reason,
        setBy: { kind: actor.kind, id: actor.id, name: await nameOf(scope, actor) },
        setAtMs: nowMs,
        expiresAtMs,
        endedAtMs: null,
        endedBy: null,
        endReason: null,
      };
      const before = await store.set(scope, next);
      await eventLog.append(scope, {
        name: draft.kind === 'pause' ? 'feature.paused' : 'feature.throttled',
        subject: `feature/${feature}`,
        severity: 'warning',
        message: `${feature} was ${whatIsOn(next)} by ${next.setBy.name} ${until(expiresAtMs)}: ${draft.reason}`,
        details: { switchId: next.id, ...draft, expiresAt: expiresAtMs, setBy: next.setBy, replaces: before?.id ?? null },
        atMs: nowMs,
      });
      return toSwitchView(next, nowMs);
    },
    async end(scope, feature, reason, actor) {
      requireFeature(scope, feature);
      const nowMs = clock.nowMs();
      const by = await nameOf(scope, actor);
      const ended = await store.end(scope, feature, { atMs: nowMs, by, reason });
      if (ended === null) {
        throw new PlimsollError('not_found', `${feature} is neither paused nor throttled: there is nothing to end.`, {
          details: { feature },
        });
      }
      await eventLog.append(scope, {
        name: 'feature.resumed',
        subject: `feature/${feature}`,
        severity: 'info',
        message: `${feature} was ${whatIsOn(ended)} and was resumed by ${by}${reason === null ? '' : `: ${reason}`}`,
        details: { switchId: ended.id, reason, endedBy: { kind: actor.kind, id: actor.id, name: by } },
        atMs: nowMs,
      });
      return toSwitchView(ended, nowMs);
    },
    async list(scope, feature, { cursor, limit }) {
      requireFeature(scope, feature);
      const nowMs = clock.nowMs();
      const page = await store.list(scope, feature, { beforeId: cursor, limit: limit + 1 });
      const shown = page.slice(0, limit);
      return {
        switches: shown.map((value) => toSwitchView(value, nowMs)),
        nextCursor: page.length > limit ? (shown.at(-1)?.id ?? null) : null,
      };
    },
    async inForce(scope) {
      const nowMs = clock.nowMs();
      const found = await store.inForce(scope, nowMs);
      return new Map(found.map((value) => [value.feature, toSwitchView(value, nowMs)]));
    },
    async endExpired(scope) {
      const ended = await store.endExpired(scope, clock.nowMs());
      for (const value of ended) {
        await eventLog.append(
          scope,
          {
            name: 'feature.switch_expired',
            subject: `feature/${value.feature}`,
            severity: 'info',
            message: `${value.feature} was ${whatIsOn(value)}; that ended as planned`,
            details: { switchId: value.id },
            atMs: value.endedAtMs ?? clock.nowMs(),
          },
          `feature.switch_expired/${value.id}`,
        );
      }
      return ended.length;
    },
  };
}
