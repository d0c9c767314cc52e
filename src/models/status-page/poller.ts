import type { Clock } from '../../kernel/clock.ts';
import { toPlimsollError } from '../../kernel/errors.ts';
import type { EventLog } from '../../kernel/event-log/event-log.ts';
import type { Scope } from '../../kernel/scope.ts';
import { fetchPage, PageError } from './fetch-page.ts';
import { readGoogleCloud } from './google-cloud.ts';
import type { StatusPageKind, StatusReader, StatusReading, StatusSeverity } from './model.ts';
import { readStatuspage } from './statuspage.ts';

const READERS: Readonly<Record<StatusPageKind, StatusReader>> = { statuspage: readStatuspage, 'google-cloud': readGoogleCloud };
const LONGEST_BACKOFF_MS = 30 * 60_000;
/** After so many missed polls what was read last is no longer taken for the present. */
const STALE_POLLS = 10;

/** A page to be asked. */
export interface WatchedPage {
  readonly provider: string;
  readonly url: string;
  readonly kind: StatusPageKind;
  readonly components: readonly string[];
  readonly everyMs: number;
}

/** What is kept of one page, JSON. */
export interface PageState {
  /** What was asked: another page under the same name begins anew. */
  readonly page: string;
  /** The last good reading; null = there was none yet. */
  readonly reading: StatusReading | null;
  readonly readAtMs: number | null;
  /** When the severity was last another one. */
  readonly changedAtMs: number | null;
  readonly etag: string | null;
  /** Why the last poll failed; null when it did not. */
  readonly error: string | null;
  readonly failures: number;
  readonly nextPollAtMs: number;
}

export interface PageMemory {
  get(scope: Scope, provider: string): Promise<PageState | null>;
  put(scope: Scope, provider: string, state: PageState): Promise<void>;
}

export interface PollerOptions {
  readonly memory: PageMemory;
  readonly eventLog: EventLog;
  readonly clock: Clock;
}

function identityOf({ url, kind, components }: WatchedPage): string {
  return JSON.stringify([kind, url, components]);
}

function freshState(page: WatchedPage): PageState {
  const unread = { reading: null, readAtMs: null, changedAtMs: null, etag: null, error: null, failures: 0, nextPollAtMs: 0 };
  return { page: identityOf(page), ...unread };
}

/** The present state of a page: what was read last, unless that is too old to be the present. */
export function presentSeverity(state: PageState | null, everyMs: number, nowMs: number): StatusSeverity | 'unmeasured' {
  if (state?.reading == null || state.readAtMs === null) return 'unmeasured';
  return nowMs - state.readAtMs > STALE_POLLS * everyMs ? 'unmeasured' : state.reading.severity;
}

/** Waits double with each failure; a server that asks for more is given more. */
function backoffMs(everyMs: number, failures: number, retryAfterMs: number | null): number {
  return Math.max(Math.min(everyMs * 2 ** failures, Math.max(LONGEST_BACKOFF_MS, everyMs)), retryAfterMs ?? 0);
}

/** Asks vendors' status pages that are due, keeps what they say, and logs `provider.status_changed` when they say something else. */
export function createStatusPoller({ memory, eventLog, clock }: PollerOptions) {
  async function logChange(scope: Scope, page: WatchedPage, before: StatusReading | null, now: StatusReading): Promise<void> {
    // The first all-clear is no news.
    if (before === null && now.severity === 'operational') return;
    await eventLog.append(scope, {
      name: 'provider.status_changed',
      subject: `provider/${page.provider}`,
      severity: now.severity === 'operational' ? 'info' : now.severity === 'major_outage' ? 'critical' : 'warning',
      message: `${page.provider} says on its status page: ${now.severity.replace('_', ' ')}${now.description === '' ? '' : ` (${now.description})`}`,
      details: { from: before?.severity ?? null, to: now.severity, url: page.url, incidents: now.incidents.slice(0, 10) },
      atMs: clock.nowMs(),
    });
  }

  async function poll(scope: Scope, page: WatchedPage, before: PageState, signal: AbortSignal): Promise<PageState> {
    try {
      const answer = await fetchPage(page.url, before.reading === null ? null : before.etag, signal);
      const readAtMs = clock.nowMs();
      const good = { page: before.page, readAtMs, error: null, failures: 0, nextPollAtMs: readAtMs + page.everyMs };
      if (answer.kind === 'unchanged') return { ...before, ...good };
      const reading = READERS[page.kind](answer.body, page.components);
      const hasChanged = reading.severity !== before.reading?.severity;
      if (hasChanged) await logChange(scope, page, before.reading, reading);
      return { ...good, reading, etag: answer.etag, changedAtMs: hasChanged ? readAtMs : before.changedAtMs };
    } catch (thrown) {
      if (signal.aborted) throw thrown;
      const failures = before.failures + 1;
      const waitMs = backoffMs(page.everyMs, failures, thrown instanceof PageError ? thrown.retryAfterMs : null);
      return { ...before, error: toPlimsollError(thrown).message, failures, nextPollAtMs: clock.nowMs() + waitMs };
    }
  }

  return {
    /** Asks every page that is due, all at once; one that fails stops no other. */
    async pollDue(scope: Scope, pages: readonly WatchedPage[], signal: AbortSignal): Promise<void> {
      await Promise.all(
        pages.map(async (page) => {
          const known = await memory.get(scope, page.provider);
          const state = known?.page === identityOf(page) ? known : freshState(page);
          if (state.nextPollAtMs > clock.nowMs()) return;
          await memory.put(scope, page.provider, await poll(scope, page, state, signal));
        }),
      );
    },
    /** What is known of a page; null when it was never asked. */
    async read(scope: Scope, page: WatchedPage): Promise<PageState | null> {
      const known = await memory.get(scope, page.provider);
      return known?.page === identityOf(page) ? known : null;
    },
  };
}
export type StatusPoller = ReturnType<typeof createStatusPoller>;
