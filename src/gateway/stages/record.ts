import { inputTokens, outputTokens, type Usage } from '../../models/usage.ts';
import { CALL_SCHEMA_VERSION, type CallPayload } from '../../traces/call-record.ts';
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

/** Cuts at a character boundary, so that the text stays valid UTF-8 and at most `maxBytes` long. */
function cut(text: string, maxBytes: number): string {
  if (text.length * 3 <= maxBytes || Buffer.byteLength(text) <= maxBytes) return text;
  const bytes = Buffer.from(text);
  let end = maxBytes;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.toString('utf8', 0, end);
}

/** First characters, without half a surrogate pair at the end. */
function preview(text: string): string {
  const end = text.charCodeAt(PREVIEW_CHARACTERS - 1);
  return text.slice(0, end >= 0xd800 && end < 0xdc00 ? PREVIEW_CHARACTERS - 1 : PREVIEW_CHARACTERS);
}

function payloadOf(call: Call, policy: CallPayload['policy']): CallPayload | null {
  const { body, texts } = call;
  if (body === null) return null;
  const { maxPayloadBytes } = call.snapshot.limits;
  const whole = policy === 'full';
  const input = whole ? body.bytes.toString('utf8', 0, body.bytes.length) : preview(lastUserText(body.bytes));
  const output = texts === null ? null : whole ? texts.messagesJson() : preview(texts.text());
  const keptInput = whole ? cut(input, maxPayloadBytes) : input;
  const keptOutput = whole && output !== null ? cut(output, maxPayloadBytes) : output;
  return {
    callId: call.callId,
    traceId: call.traceId,
    spanId: call.spanId,
    organisationId: call.snapshot.organisationId,
    environment: call.snapshot.environment,
    startedAtMs: call.startedAtMs,
    policy,
    input: keptInput,
    output: keptOutput,
    isTruncated: keptInput !== input || keptOutput !== output || (texts?.isTruncated ?? false),
  };
}

function recordPayload(call: Call, context: GatewayContext): void {
  const policy = call.caller?.feature.payloads ?? 'none';
  if (policy === 'none' || call.outcome === null) return;
  const payload = payloadOf(call, policy);
  if (payload === null) return;
  context.journal.append({
    type: 'payload',
    schemaVersion: CALL_SCHEMA_VERSION,
    id: call.callId,
    payload: Buffer.from(JSON.stringify(payload)),
  });
}

function logLine(call: Call, tokens: Tokens, durationMs: number): string {
  const { outcome, caller } = call;
  const last = outcome?.attempts.at(-1);
  return JSON.stringify({
    event: 'llm_call',
    ts: new Date(call.startedAtMs).toISOString(),
    trace_id: call.traceId,
    call_id: call.callId,
    feature: caller?.feature.name ?? null,
    team: caller?.key.team ?? null,
    model: last?.model ?? call.body?.model ?? null,
    provider: last?.provider ?? null,
    input_tokens: tokens.input,
    output_tokens: tokens.output,
    cost_usd: call.costUsd,
    latency_ms: durationMs,
    ttft_ms: outcome?.ttftMs ?? null,
    success: call.error === null,
    status: call.error === null ? 'ok' : call.error.code === 'client_closed' ? 'aborted' : 'error',
    error_type: call.error?.code ?? null,
    attempts: outcome?.attempts.length ?? 0,
    simulated: call.destination?.targets[0]?.provider.isSimulated ?? false,
  });
}

/** Everything that may wait until the client has its answer: payload, log line, metrics. */
export function record(call: Call, context: GatewayContext): void {
  const tokens = tokensOf(call.outcome);
  const durationMs = call.outcome?.durationMs ?? roundMs(call.elapsedMs());
  context.metrics.recordCall(call, tokens, durationMs);
  context.writeLogLine(logLine(call, tokens, durationMs));
  recordPayload(call, context);
}
