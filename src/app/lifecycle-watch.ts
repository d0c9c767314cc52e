import { approvalsOf, dayOf } from '../features/model-approval.ts';
import { featureTargets } from '../gateway/routing/route-config.ts';
import type { EventLog, LoggedEvent } from '../kernel/event-log/event-log.ts';
import type { Scope } from '../kernel/scope.ts';
import { dueThreshold, type ModelLifecycle } from '../models/lifecycle.ts';
import type { Config } from './config.ts';

interface KeyedEvent {
  /** Equal keys are one event: the job may run as often as it likes. */
  readonly key: string;
  readonly event: Omit<LoggedEvent, 'id'>;
}

interface WatchedModel {
  readonly name: string;
  readonly upstreamModel: string;
  readonly lifecycle?: ModelLifecycle;
}

/** The last week and the end itself want somebody now. */
function severityAt(days: number): LoggedEvent['severity'] {
  return days <= 1 ? 'critical' : days <= 7 ? 'warning' : 'info';
}

function retirementEvents(models: readonly WatchedModel[], config: Config, nowMs: number): KeyedEvent[] {
  return models.flatMap(({ name, upstreamModel, lifecycle }): KeyedEvent[] => {
    if (lifecycle === undefined) return [];
    const { retiresAtMs, successor, isDeprecated } = lifecycle;
    const features = Object.entries(config.features)
      .filter(([, feature]) => featureTargets(config.routes, feature.route).includes(name))
      .map(([feature]) => feature);
    const used = features.length === 0 ? 'No feature’s route uses it.' : `Used by ${features.join(', ')}.`;
    const about = { subject: `model/${name}`, details: { upstreamModel, retiresAt: retiresAtMs, successor, features }, atMs: nowMs };
    const found: KeyedEvent[] = [];
    if (isDeprecated) {
      found.push({
        key: `model.deprecated/${name}/${upstreamModel}`,
        event: {
          ...about,
          name: 'model.deprecated',
          severity: 'info',
          message: `${name} (${upstreamModel}) is deprecated by its provider. ${used}`,
        },
      });
    }
    const due = retiresAtMs === null ? null : dueThreshold(retiresAtMs, nowMs);
    if (retiresAtMs !== null && due !== null) {
      const day = dayOf(retiresAtMs);
      const what = due === 0 ? `was retired on ${day}` : `retires on ${day}, in ${due === 1 ? 'a day' : `at most ${due} days`}`;
      found.push({
        key: `model.retiring/${name}/${upstreamModel}/${day}/${due}`,
        event: {
          ...about,
          name: due === 0 ? 'model.retired' : 'model.retiring',
          severity: severityAt(due),
          message: `${name} (${upstreamModel}) ${what}. ${used}${successor === null ? '' : ` Its successor is ${successor}.`}`,
        },
      });
    }
    return found;
  });
}

function approvalEvents(config: Config, nowMs: number): KeyedEvent[] {
  return Object.entries(config.features).flatMap(([feature, { models, modelPolicy }]) => {
    const approvals = approvalsOf(models, modelPolicy);
    return (approvals?.entries ?? []).flatMap(({ model, status, evaluation, expiresAtMs }): KeyedEvent[] => {
      const due = expiresAtMs === null || status === 'blocked' ? null : dueThreshold(expiresAtMs, nowMs);
      if (expiresAtMs === null || due === null) return [];
      const day = dayOf(expiresAtMs);
      const after = approvals?.expired === 'refuse' ? 'then its calls are refused' : 'then its calls carry a warning';
      return [
        {
          key: `model.approval/${feature}/${model}/${day}/${due}`,
          event: {
            name: due === 0 ? 'model.approval_expired' : 'model.approval_expiring',
            subject: `feature/${feature}`,
            severity: approvals?.expired === 'refuse' ? severityAt(due) : due === 0 ? 'warning' : 'info',
            message:
              due === 0
                ? `The approval of ${model} for ${feature} expired on ${day}.`
                : `The approval of ${model} for ${feature} expires on ${day}; ${after}.`,
            details: { model, status, evaluation, expiresAt: expiresAtMs },
            atMs: nowMs,
          },
        },
      ];
    });
  });
}

/** Everything about models that people should know of today. Pure; each event is due once. */
export function lifecycleEvents(models: readonly WatchedModel[], config: Config, nowMs: number): KeyedEvent[] {
  return [...retirementEvents(models, config, nowMs), ...approvalEvents(config, nowMs)];
}

/** Logs what is new. @returns how many events were */
export async function logLifecycleEvents(log: EventLog, scope: Scope, events: readonly KeyedEvent[]): Promise<number> {
  let written = 0;
  for (const { key, event } of events) if (await log.append(scope, event, key)) written++;
  return written;
}
