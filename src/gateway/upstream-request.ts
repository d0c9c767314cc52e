import { PlimsollError } from '../kernel/errors.ts';
import type { Call } from './call.ts';
import type { OutputCap } from './client-dialect.ts';
import type { CompiledEndpoint, CompiledTarget } from './compiled-snapshot.ts';
import type { GatewayContext } from './gateway-context.ts';
import type { OutgoingRequest } from './upstream/exchange.ts';

/** Faults on demand, understood by simulated providers only and sent to no other. */
const SIMULATED_FAULT_HEADER = 'x-sim-fault';
const JSON_TYPE = 'application/json';
const NONE: readonly string[] = [];

/** @throws PlimsollError `invalid_argument` for what the provider's dialect cannot say, `provider_unavailable` while there is no access token */
export function buildUpstreamRequest(
  call: Call,
  target: CompiledTarget,
  endpoint: CompiledEndpoint,
  context: GatewayContext,
): OutgoingRequest {
  const { provider } = target;
  const path = call.body?.isStream === true ? endpoint.streamPath : endpoint.path;
  const body = encodeBody(call, target, endpoint);
  const extraHeaders = provider.isSimulated ? faultHeader(call) : authorize(provider, path, body, context);
  return { path, headers: provider.headers, extraHeaders, body };
}

/** What changes from call to call: an access token, a signature. */
function authorize(provider: CompiledTarget['provider'], path: string, body: Buffer, { tokens, clock }: GatewayContext): readonly string[] {
  const { adapter, credentials, settings } = provider;
  if (provider.tokenGrant !== null) return ['authorization', `Bearer ${tokens.get(provider).reveal()}`];
  if (adapter.sign === null) return NONE;
  const request = { host: provider.host, path, contentType: JSON_TYPE, body };
  return Object.entries(adapter.sign(request, credentials, settings, clock.nowMs())).flat();
}

function encodeBody(call: Call, target: CompiledTarget, { endpoint, isForwarded }: CompiledEndpoint): Buffer {
  const { body } = call;
  if (body === null) throw new PlimsollError('internal', 'infer ran before admit');
  const cap = outputCap(call, target);
  if (isForwarded) {
    const bytes = call.dialect.forwardBody(body, target.upstreamModelJson, cap);
    return endpoint.editForwarded?.(bytes) ?? bytes;
  }
  const asked = call.hubRequest();
  const hub = cap === null ? asked : { ...asked, [cap.name]: cap.tokens };
  if (endpoint.encodeRequest === null) {
    const wantsUsage = body.isStream ? { stream_options: { include_usage: true } } : {};
    return Buffer.from(JSON.stringify({ ...hub, model: target.upstreamModel, ...wantsUsage }));
  }
  const encoded = endpoint.encodeRequest(hub, target.upstreamModel);
  call.warnings.push(...encoded.warnings);
  return Buffer.from(JSON.stringify(encoded.body));
}

/** OpenAI itself has renamed the member; servers that are only compatible mostly know the old name. */
function outputCap({ outputTokensCap: tokens }: Call, { provider }: CompiledTarget): OutputCap | null {
  return tokens === null ? null : { name: provider.kind === 'openai' ? 'max_completion_tokens' : 'max_tokens', tokens };
}

function faultHeader(call: Call): readonly string[] {
  const fault = call.request.headers[SIMULATED_FAULT_HEADER];
  return typeof fault === 'string' ? [SIMULATED_FAULT_HEADER, fault] : NONE;
}
