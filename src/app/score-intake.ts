import type { IncomingHttpHeaders } from 'node:http';
import type { Snapshot } from '../gateway/snapshot.ts';
import type { Clock } from '../kernel/clock.ts';
import { PlimsollError } from '../kernel/errors.ts';
import { newUuidV7 } from '../kernel/ids.ts';
import { FileJournalWriter } from '../kernel/journal/writer.ts';
import type { Authentication } from '../kernel/router-authentication.ts';
import type { Actor, Scope } from '../kernel/scope.ts';
import { REPORT_PERMISSION, type ScoreIntake } from '../traces/scores/routes.ts';
import { scoreEntry } from '../traces/scores/score-record.ts';
import type { ScoreCaller } from '../traces/scores/score-rows.ts';
import type { ScoreRow } from '../traces/scores/store.ts';
import { OtlpCallers } from './otlp/callers.ts';

export interface JournaledScoresOptions {
  /** Directory of the intake's own journal. */
  readonly directory: string;
  readonly snapshot: () => Snapshot | null;
  /** Bytes of the journal that are not in the trace store yet. */
  readonly pendingBytes: () => number;
  readonly clock: Clock;
  readonly log: (level: 'info' | 'warn' | 'error', event: string, fields: Readonly<Record<string, unknown>>) => void;
}

/** Journal that waits for the trace store, beyond which senders are asked to wait. */
const MAX_PENDING_BYTES = 256 * 1024 * 1024;
const RETRY_SECONDS = 10;

/** Scores on their way into the journal; acknowledged once they are synced to disk. The ingest does the rest. */
export class JournaledScores implements ScoreIntake {
  readonly #options: JournaledScoresOptions;
  readonly #journal: FileJournalWriter;
  readonly #callers: OtlpCallers;
  #accepted = 0;

  private constructor(options: JournaledScoresOptions, journal: FileJournalWriter) {
    this.#options = options;
    this.#journal = journal;
    this.#callers = new OtlpCallers(options.snapshot);
  }

  static async open(options: JournaledScoresOptions): Promise<JournaledScores> {
    const journal = await FileJournalWriter.open({
      directory: options.directory,
      clock: options.clock,
      // Nothing is acknowledged out of the reserve.
      reserveBytes: 1024 * 1024,
      onDegraded: (isDegraded, reason) =>
        options.log(isDegraded ? 'error' : 'info', isDegraded ? 'score_journal_degraded' : 'score_journal_recovered', { reason }),
    });
    return new JournaledScores(options, journal);
  }

  /**
   * Who a virtual key belongs to, for the router; it may report and nothing else.
   * @returns null when the bearer is no virtual key
   * @throws PlimsollError `unauthenticated`, `permission_denied`, `not_found` (feature), `not_ready`
   */
  authenticate(headers: IncomingHttpHeaders): Authentication | null {
    if (!/^Bearer +plk_/i.test(headers.authorization?.trim() ?? '')) return null;
    const { organisationId, environment, keyId } = this.#callers.find(headers, this.#options.clock.nowMs());
    const actor: Actor = { kind: 'virtual_key', id: keyId, organisationId, grants: [REPORT_PERMISSION] };
    return { actor, scope: { organisationId, environment }, isCookie: false };
  }

  callerOf(actor: Actor, scope: Scope, headers: Readonly<Record<string, string | string[] | undefined>>): ScoreCaller {
    if (actor.kind === 'virtual_key') return this.#callers.find(headers, this.#options.clock.nowMs());
    const features = this.#options.snapshot()?.features ?? [];
    return { ...scope, keyId: null, feature: null, features: Object.fromEntries(features.map(({ name }) => [name, true])) };
  }

  async accept(rows: readonly ScoreRow[]): Promise<void> {
    if (this.#journal.stats.isDegraded || !this.#journal.canAccept()) throw journalFull();
    const pending = this.#options.pendingBytes();
    if (pending > MAX_PENDING_BYTES)
      throw new PlimsollError(
        'store_unavailable',
        `${pending} bytes of scores wait for the trace store; at most ${MAX_PENDING_BYTES} may.`,
        {
          details: { pendingBytes: pending, retryAfterSeconds: RETRY_SECONDS },
        },
      );
    this.#journal.append(scoreEntry(newUuidV7(this.#options.clock.nowMs()), rows));
    // What is not on disk may come to be there yet: sent again, the rows take the place of themselves.
    if (!(await this.#journal.sync())) throw journalFull();
    this.#accepted += rows.length;
  }

  /** Prometheus text. */
  metrics(): string {
    const name = 'plimsoll_scores_accepted_total';
    return `# HELP ${name} Scores, feedback and outcomes acknowledged.\n# TYPE ${name} counter\n${name} ${this.#accepted}\n`;
  }

  async close(): Promise<void> {
    await this.#journal.close();
  }
}

function journalFull(): PlimsollError {
  return new PlimsollError('journal_full', 'The disk does not take scores at this moment; nothing of this request was acknowledged.', {
    details: { retryAfterSeconds: RETRY_SECONDS },
  });
}
