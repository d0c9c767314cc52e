import { request } from 'undici';
import type { Clock } from '../kernel/clock.ts';
import { resolveSecretText } from '../kernel/config/secret.ts';
import { PlimsollError } from '../kernel/errors.ts';
import type { JournaledEvent } from '../kernel/event-log/journaled-event.ts';
import { contentHash } from '../kernel/ids.ts';
import type { JobContext, JobRequest, JobRunner } from '../kernel/jobs/runner.ts';
import type { Scope } from '../kernel/scope.ts';
import { webhookHeaders } from '../kernel/webhook-signature.ts';
import type { ControlStore } from '../stores/sql/control-store.ts';
import type { Config } from './config.ts';

export const WEBHOOK_JOB = 'owners.webhook';
const TIMEOUT_MS = 10_000;
/** About a day in all. */
const RETRY = { maxAttempts: 12, firstMs: 5_000, maxMs: 4 * 3_600_000 };

interface WebhookPayload {
  readonly owner: string;
  readonly event: JournaledEvent;
}

export interface OwnerWebhooksOptions {
  readonly store: ControlStore;
  readonly scope: Scope;
  readonly clock: Clock;
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly config: () => Config;
}

/** Keeps events that came through journals, and tells the owners that they concern. */
export class OwnerWebhooks {
  readonly #options: OwnerWebhooksOptions;
  #runner: Pick<JobRunner, 'schedule'> | null = null;

  constructor(options: OwnerWebhooksOptions) {
    this.#options = options;
  }

  /** The ingest begins before the jobs do. */
  use(runner: Pick<JobRunner, 'schedule'>): void {
    this.#runner = runner;
  }

  /** Each event once, however often its record is read; the messages are jobs of the same transaction. */
  async record(events: readonly JournaledEvent[]): Promise<void> {
    const { store, scope } = this.#options;
    for (const event of events) {
      await store.transaction(async (tx) => {
        const { key, ...logged } = event;
        if (!(await tx.eventLog.append(scope, logged, key))) return;
        for (const job of this.#jobsFor(event)) {
          if (this.#runner === null) throw new PlimsollError('not_ready', 'The jobs of control have not begun yet');
          await this.#runner.schedule(job, tx.jobs);
        }
      });
    }
  }

  /** One message per owner with a webhook; who is owner and cost owner gets one. */
  #jobsFor(event: JournaledEvent): JobRequest[] {
    const { owner, costOwner } = event.details;
    const names = [...new Set([owner, costOwner])].filter((name) => typeof name === 'string');
    return names
      .filter((name) => this.#webhookOf(name) !== null)
      .map((name) => ({
        name: WEBHOOK_JOB,
        key: `${WEBHOOK_JOB}:${contentHash(`${event.key}\n${name}`).slice(0, 32)}`,
        timing: { kind: 'at', runAtMs: this.#options.clock.nowMs() },
        payload: { owner: name, event } satisfies WebhookPayload,
        retry: RETRY,
      }));
  }

  #webhookOf(name: string) {
    const { owners } = this.#options.config();
    return (Object.hasOwn(owners, name) ? owners[name]?.webhook : undefined) ?? null;
  }

  /** Handler of the job. @throws PlimsollError when the receiver did not take the message: it is tried again */
  async deliver({ payload, signal }: Pick<JobContext, 'payload' | 'signal'>): Promise<void> {
    const { owner, event } = payload as WebhookPayload; // written by #jobsFor
    const webhook = this.#webhookOf(owner);
    // The owner has no webhook any more: nobody wants the message.
    if (webhook === null) return;
    const { key, name, atMs, ...data } = event;
    const body = JSON.stringify({ type: name, timestamp: new Date(atMs).toISOString(), data });
    const secret = resolveSecretText(webhook.secret, this.#options.variables);
    const seconds = Math.floor(this.#options.clock.nowMs() / 1000);
    const answer = await request(webhook.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'user-agent': 'plimsoll',
        ...webhookHeaders(contentHash(`${key}\n${owner}`).slice(0, 32), seconds, body, secret),
      },
      body,
      headersTimeout: TIMEOUT_MS,
      bodyTimeout: TIMEOUT_MS,
      signal,
    });
    await answer.body.dump();
    if (answer.statusCode < 200 || answer.statusCode >= 300)
      throw new PlimsollError('provider_unavailable', `The webhook of "${owner}" answered ${answer.statusCode} to ${name}.`, {
        details: { owner, status: answer.statusCode },
      });
  }
}
