import type { ApiError } from '../api/problem.ts';
import type { Status } from '../api/schema.ts';
import { formatDuration } from '../format/number.ts';

export interface Notice {
  readonly state: 'warning' | 'critical';
  readonly title: string;
  readonly detail: string;
  readonly action: string;
}

/** Ingest slower than this is worth a word: traces normally appear within two seconds. */
const SLOW_INGEST_MS = 15_000;

/** Everything that is not fine, the worst first, each with its next action. Empty = all is well. */
export function noticesOf(status: Status | undefined, error: ApiError | null): readonly Notice[] {
  if (error !== null && error.status !== 401) {
    if (error.kind === 'unreachable')
      return [
        {
          state: 'critical',
          title: 'Control is not reachable',
          detail: '/v1 keeps serving and journals every call; what you see here is from before.',
          action: 'Nothing is lost. If this stays, look at the log of `plimsoll serve`, or run `plimsoll doctor`.',
        },
      ];
    return [{ state: 'warning', title: 'The status of the system cannot be read', detail: error.message, action: error.fix }];
  }
  if (!status) return [];
  const notices: Notice[] = [];
  if (!status.gateway.ready)
    notices.push({
      state: 'critical',
      title: 'The gateway is not ready',
      detail: status.gateway.reasons.join('; ') || 'It gave no reason.',
      action: 'Calls to /v1 may fail. The supervisor restarts the gateway by itself; its log says what is missing.',
    });
  if (!status.engine.ready)
    notices.push({
      state: 'critical',
      title: 'The trace store does not answer',
      detail: status.engine.message || 'No reason was given.',
      action: 'New traces wait in the journal and appear when it is back. Run `plimsoll doctor` if this stays.',
    });
  if (status.journal.isDegraded)
    notices.push({
      state: 'critical',
      title: 'The journal is short of disk',
      detail: `${status.journal.shedPayloads.toLocaleString('en-US')} prompt and answer texts were left out; the calls themselves are recorded.`,
      action: 'Free space for the data directory; the gateway goes back to normal by itself.',
    });
  else if (status.journal.shedPayloads > 0)
    notices.push({
      state: 'warning',
      title: 'Some texts were not recorded',
      detail: `${status.journal.shedPayloads.toLocaleString('en-US')} prompt and answer texts were left out while the disk was short.`,
      action: 'The calls, tokens and costs are complete. Give the data directory more space.',
    });
  if (status.config.error !== null)
    notices.push({
      state: 'warning',
      title: 'plimsoll.yaml was not loaded',
      detail: status.config.error,
      action: `The configuration before it stays in force (epoch ${status.config.epoch}). Correct the file; \`plimsoll config check\` tests it.`,
    });
  if (status.engine.ready && status.ingest.lagMs !== null && status.ingest.lagMs > SLOW_INGEST_MS)
    notices.push({
      state: 'warning',
      title: `Traces appear ${formatDuration(status.ingest.lagMs)} late`,
      detail: `${(status.ingest.pendingBytes / 1024 / 1024).toFixed(1)} MB of journal wait to be read.`,
      action: 'It catches up by itself; if it grows, give the machine more CPU or use a ClickHouse server.',
    });
  if (status.ingest.quarantined > 0)
    notices.push({
      state: 'warning',
      title: `${status.ingest.quarantined.toLocaleString('en-US')} journal records were set aside`,
      detail: status.ingest.lastError ?? 'They could not be read.',
      action: 'They are kept in the data directory and are missing here; please report them. `plimsoll doctor` names the file.',
    });
  return notices.sort((a, b) => Number(b.state === 'critical') - Number(a.state === 'critical'));
}
