import { jsonText } from '../../kernel/json-text.ts';
import { inputTokens, outputTokens, type Usage } from '../../models/usage.ts';
import { CALL_PAYLOAD_SCHEMA_VERSION, type CallPayloadMeta, encodeCallPayload } from '../../traces/call-payload-codec.ts';
import type { CallPayload } from '../../traces/call-record.ts';
import type { ChatBody } from '../body/chat-body.ts';
import { lastUserText } from '../body/last-user-text.ts';
import { type Call, type CallOutcome, roundMs } from '../call.ts';
import type { GatewayContext } from '../gateway-context.ts';

const PREVIEW_CHARACTERS = 200;

interface Tokens {
  readonly input: number | null;
  readonly output: number | null;
}

/** Tokens over all attempts; null when no attempt has a usage. */
function tokensOf(outcome: CallOutcome | null): Tokens {
  let input: number | null = null;
  let output: number | null = null;
  for (const { usage } of outcome?.attempts ?? []) {
    if (usage === null) continue;
    input = (input ?? 0) + inputTokens(usage as Usage);
    output = (output ?? 0) + outputTokens(usage as Usage);
  }
  return { input, output };
}

/** Cuts at a character border, so that the text stays valid UTF-8 and at most `maxBytes` long. */
function cut(text: Buffer, maxBytes: number): Buffer {
  if (text.length <= maxBytes) return text;
  let end = maxBytes;
  while (end > 0 && ((text[end] ?? 0) & 0xc0) === 0x80) end--;
  return text.subarray(0, end);
}

/** First characters, without half a surrogate pair at the end. */
function preview(text: string): string {
  const end = text.charCodeAt(PREVIEW_CHARACTERS - 1);
  return text.slice(0, end >= 0xd800 && end < 0xdc00 ? PREVIEW_CHARACTERS - 1 : PREVIEW_CHARACTERS);
}

/** What is kept of a call's texts: their bytes as they came (`full`), or their first characters (`preview`). */
function keptTexts(
  call: Call,
  body: ChatBody,
  policy: CallPayload['policy'],
): { input: Buffer; output: Buffer | null; isTruncated: boolean } {
  const { texts, snapshot } = call;
  if (policy === 'preview') {
    const input = preview(lastUserText(body, snapshot.bodyScanner, PREVIEW_CHARACTERS));
    return {
      input: Buffer.from(input),
      output: texts === null ? null : Buffer.from(preview(texts.text())),
      isTruncated: texts?.isTruncated ?? false,
    };
  }
  const { maxPayloadBytes } = snapshot.limits;
  const text = body.summary ?? body.bytes;
  const input = cut(text, maxPayloadBytes);
  const whole = texts?.messagesJson() ?? null;
  const output = whole === null ? null : cut(whole, maxPayloadBytes);
  return { input, output, isTruncated: input !== text || output !== whole || (texts?.isTruncated ?? false) };
}

function recordPayload(call: Call, context: GatewayContext): void {
  const policy = call.caller?.feature.payloads ?? 'none';
  if (policy === 'none' || call.outcome === null || call.body === null) return;
  const { input, output, isTruncated } = keptTexts(call, call.body, policy);
  const meta: CallPayloadMeta = {
    callId: call.callId,
    traceId: call.traceId,
    spanId: call.spanId,
    organisationId: call.snapshot.organisationId,
    environment: call.snapshot.environment,
    feature: call.caller?.feature.name ?? '',
    startedAtMs: call.startedAtMs,
    policy,
    isTruncated,
  };
  context.journal.append({
    type: 'payload',
    schemaVersion: CALL_PAYLOAD_SCHEMA_VERSION,
    id: call.callId,
    payload: encodeCallPayload(meta, input, output),
  });
}

/** Alias and provider of the target that was asked last, else of what was asked for. */
function targetMembers({ lastTarget, cache, body }: Call): string {
  return lastTarget?.json.log ?? `"model":${jsonText(cache?.model ?? body?.model ?? null)},"provider":null`;
}

function logLine(call: Call, tokens: Tokens, durationMs: number, timestamp: string): string {
  const { outcome, caller, error } = call;
  const status = error === null ? 'ok' : error.code === 'client_closed' ? 'aborted' : 'error';
  const names = caller?.json?.log ?? `"feature":${jsonText(caller?.feature.name ?? null)},"team":${jsonText(caller?.key.team ?? null)}`;
  return `{"event":"llm_call","ts":"${timestamp}","trace_id":"${call.traceId}","call_id":"${call.callId}",${names},${targetMembers(call)},"input_tokens":${tokens.input},"output_tokens":${tokens.output},"cost_usd":${jsonText(call.costUsd)},"latency_ms":${durationMs},"ttft_ms":${outcome?.ttftMs ?? null},"success":${error === null},"status":"${status}","error_type":${error === null ? 'null' : `"${error.code}"`},"attempts":${outcome?.attempts.length ?? 0},"simulated":${call.targets[0]?.provider.isSimulated ?? false}${call.cache === null ? '' : `,"cache":"${call.cache.outcome}"`}${call.purpose === null ? '' : `,"purpose":"${call.purpose}"`}}`;
}

/** Everything that may wait until the client has its answer: payload, log line, metrics. */
export function record(call: Call, context: GatewayContext): void {
  const tokens = tokensOf(call.outcome);
  const durationMs = call.outcome?.durationMs ?? roundMs(call.elapsedMs());
  context.metrics.recordCall(call, tokens, durationMs);
  context.writeLogLine(logLine(call, tokens, durationMs, context.isoTexts.of(call.startedAtMs)));
  recordPayload(call, context);
}
