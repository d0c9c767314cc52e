import { PlimsollError } from '../../kernel/errors.ts';
import { estimateTokensFromCharacters } from '../../models/token-estimate.ts';
import { CALL_SCHEMA_VERSION, type CallOpened } from '../../traces/call-record.ts';
import type { Call } from '../call.ts';
import { openedJson } from '../call-json.ts';
import type { GatewayContext } from '../gateway-context.ts';

const MAX_PATH_CHARACTERS = 512;

/** Undefined = the usual one. Gemini's paths hold the model. */
function endpointOf({ dialect, request, purpose }: Call): string | undefined {
  if (dialect.name === 'openai-chat' && dialect.operation === undefined) return undefined;
  // What the gateway asks by itself has no path.
  if (purpose !== null && request.url === undefined) return undefined;
  const url = request.url ?? '';
  const end = url.indexOf('?');
  return (end < 0 ? url : url.slice(0, end)).slice(0, MAX_PATH_CHARACTERS);
}

/** What is known of a call before a provider is asked; null until its feature is known, since no record can be without one. */
export function describeCall(call: Call): CallOpened | null {
  if (call.caller === null) return null;
  const { key, feature } = call.caller;
  const target = call.targets[0];
  return {
    callId: call.callId,
    traceId: call.traceId,
    spanId: call.spanId,
    parentSpanId: call.parentSpanId,
    organisationId: call.snapshot.organisationId,
    environment: call.snapshot.environment,
    operation: call.operation,
    feature: feature.name,
    team: key.team,
    user: call.user,
    session: call.session,
    customer: call.customer,
    tags: call.tags,
    keyId: key.id,
    requestedModel: call.body?.model ?? '',
    endpoint: endpointOf(call),
    route: call.destination?.route ?? null,
    isStream: call.body?.isStream ?? false,
    startedAtMs: call.startedAtMs,
    snapshotEpoch: call.snapshot.epoch,
    estimatedInputTokens: call.estimate?.inputTokens ?? estimateTokensFromCharacters((call.body?.summary ?? call.body?.bytes)?.length ?? 0),
    reservedOutputTokens: call.reservation === null ? undefined : call.estimate?.outputTokens,
    firstTarget: target === undefined ? null : { model: target.model, provider: target.provider.name, upstreamModel: target.upstreamModel },
    isSimulated: target?.provider.isSimulated ?? false,
    purpose: call.purpose ?? undefined,
    parentCallId: call.parentCallId ?? undefined,
  };
}

/**
 * Journals that a provider is about to be asked. Resolves once the record is with the operating system: whatever a provider has heard of, and may
 * charge for, a crash leaves behind as a call that recovery can close. @throws PlimsollError `journal_full`
 */
export function open(call: Call, context: GatewayContext): Promise<void> {
  const opened = describeCall(call);
  if (opened === null) throw new PlimsollError('internal', 'open ran before authenticate');
  const json = openedJson(opened, call.caller?.json?.opened, call.targets[0]?.json.opened);
  context.journal.append({
    type: 'call.opened',
    schemaVersion: CALL_SCHEMA_VERSION,
    id: call.callId,
    payload: json,
  });
  call.opened = opened;
  call.openedJson = json;
  return context.journal.written();
}
