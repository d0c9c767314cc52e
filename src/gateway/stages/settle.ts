import { sumCost } from '../../costs/call-cost.ts';
import { ERRORS, PlimsollError } from '../../kernel/errors.ts';
import { formatUsd } from '../../kernel/money.ts';
import { CALL_SCHEMA_VERSION, type CallStatus } from '../../traces/call-record.ts';
import { requestParameters } from '../body/chat-body.ts';
import { type Call, type CallOutcome, roundMs } from '../call.ts';
import { openedJson, outcomeMembers } from '../call-json.ts';
import type { GatewayContext } from '../gateway-context.ts';
import { describeCall } from './open.ts';

/** Answers that another call paid for. */
const FREE = { costPicoUsd: '0', costStatus: 'cached_zero' } as const;
/** Longest error text kept in a record. */
const MAX_ERROR_CHARACTERS = 1000;

function statusOf(error: PlimsollError | null): CallStatus {
  if (error === null) return 'ok';
  return error.code === 'client_closed' || error.code === 'superseded' ? 'aborted' : 'error';
}

/**
 * Writes the one ledger row of a call. Runs exactly once for every call, whatever happened to it, and before the client gets the end of its answer.
 * Calls that were refused before their feature was known have no row.
 * @throws PlimsollError `journal_full`: the answer must then not be completed
 */
export function settle(call: Call, context: GatewayContext): void {
  if (call.isSettled) throw new PlimsollError('internal', `Call ${call.callId} was settled twice`);
  call.isSettled = true;
  // First, and in the same turn as the record: nothing that fails below may keep what was reserved, and the journal never tells another story.
  call.reservation?.settle(call.attempts);
  call.enterStage('settle');
  const opened = call.opened ?? describeCall(call);
  if (opened === null) return;
  const { error, gaps } = call;
  const cost = call.isRepeat || call.cache?.isHit ? FREE : sumCost(call.attempts);
  const durationMs = roundMs(call.elapsedMs());
  call.leaveStage('ok');
  const outcome: CallOutcome = {
    status: statusOf(error),
    httpStatus: error === null ? 200 : call.response.headersSent ? 200 : ERRORS[error.code].status,
    errorType: error?.code ?? null,
    errorMessage: error?.message.slice(0, MAX_ERROR_CHARACTERS) ?? null,
    durationMs,
    ttftMs: call.ttftMs === null ? null : roundMs(call.ttftMs),
    interTokenMs: gaps.count === 0 ? null : { count: gaps.count, meanMs: roundMs(gaps.sumMs / gaps.count), maxMs: roundMs(gaps.maxMs) },
    attempts: call.attempts,
    stages: call.stages,
    costPicoUsd: cost.costPicoUsd,
    costStatus: cost.costStatus,
    isRecovered: false,
    cache: call.cache?.record(),
    targetRules: call.targetRules ?? undefined,
    routing: call.routing ?? undefined,
    outputValidation: call.outputValidation ?? undefined,
  };
  call.outcome = outcome;
  if (cost.costPicoUsd !== null) call.costUsd = formatUsd(BigInt(cost.costPicoUsd));
  // A call that was refused before a provider was asked used nothing. While the journal takes no new work its row would only fill the memory: its
  // log line and the metrics tell of it.
  if (call.opened === null && !context.journal.canAccept()) return;
  // What `call.opened` said is not turned into JSON a second time, and the parameters are JSON already.
  const openedText = call.openedJson ?? openedJson(opened, call.caller?.json?.opened);
  const parameters = call.body === null ? '{}' : requestParameters(call.body);
  const json = `${openedText.slice(0, -1)},${outcomeMembers(outcome, call.attemptsJson)},"requestParameters":${parameters}}`;
  context.journal.append({ type: 'call.settled', schemaVersion: CALL_SCHEMA_VERSION, id: call.callId, payload: json });
}
