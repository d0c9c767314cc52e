import { PlimsollError } from '../kernel/errors.ts';
import { type BodyPieces, wholeBody } from './body/chat-body.ts';
import type { Call } from './call.ts';
import type { OutputCap } from './client-dialect.ts';
import type { CompiledEndpoint, CompiledProvider, CompiledTarget } from './compiled-snapshot.ts';
import type { GatewayContext } from './gateway-context.ts';
import { encodePlainChat } from './providers/openai/request.ts';
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
  return { path, headers: provider.headers, extraHeaders: extraHeaders(call, provider, path, body, endpoint.isForwarded, context), body };
}

/**
 * Headers of one request besides the provider's own: what changes from call to call, and what a client of the provider's dialect sent for it.
 * @throws PlimsollError `provider_unavailable` while there is no access token
 */
export function extraHeaders(
  call: Call,
  provider: CompiledProvider,
  path: string,
  body: Buffer | BodyPieces,
  isForwarded: boolean,
  context: GatewayContext,
): readonly string[] {
  const own = provider.isSimulated ? sentHeaders(call, [SIMULATED_FAULT_HEADER]) : authorize(provider, path, body, context);
  const { forwardedHeaders } = call.dialect;
  return isForwarded && forwardedHeaders !== undefined ? [...own, ...sentHeaders(call, forwardedHeaders)] : own;
}

/** What changes from call to call: an access token, a signature. */
function authorize(
  provider: CompiledProvider,
  path: string,
  body: Buffer | BodyPieces,
  { tokens, clock }: GatewayContext,
): readonly string[] {
  const { adapter, credentials, settings } = provider;
  if (provider.tokenGrant !== null) return ['authorization', `Bearer ${tokens.get(provider).reveal()}`];
  if (adapter.sign === null) return NONE;
  const request = { host: provider.host, path, contentType: JSON_TYPE, body: wholeBody(body) };
  return Object.entries(adapter.sign(request, credentials, settings, clock.nowMs())).flat();
}

function encodeBody(call: Call, target: CompiledTarget, { endpoint, isForwarded }: CompiledEndpoint): Buffer | BodyPieces {
  const { body } = call;
  if (body === null) throw new PlimsollError('internal', 'infer ran before admit');
  const cap = outputCap(call, target);
  if (isForwarded && call.repair === null) {
    const pieces = call.dialect.forwardBody(body, target.upstreamModelJson, cap);
    return endpoint.editForwarded?.(wholeBody(pieces)) ?? pieces;
  }
  const asked = call.repair === null ? call.hubRequest() : withMessages(call.hubRequest(), call.repair);
  const encode = endpoint.encodeRequest ?? encodePlainChat;
  const encoded = encode(cap === null ? asked : { ...asked, [cap.name]: cap.tokens }, target.upstreamModel);
  call.warnings.push(...encoded.warnings);
  return Buffer.from(JSON.stringify(encoded.body));
}

/** OpenAI itself has renamed the member; servers that are only compatible mostly know the old name. */
function outputCap({ outputTokensCap: tokens }: Call, { provider }: CompiledTarget): OutputCap | null {
  return tokens === null ? null : { name: provider.kind === 'openai' ? 'max_completion_tokens' : 'max_tokens', tokens };
}

function withMessages(hub: Readonly<Record<string, unknown>>, more: readonly unknown[]): Readonly<Record<string, unknown>> {
  return { ...hub, messages: [...(Array.isArray(hub.messages) ? (hub.messages as unknown[]) : []), ...more] };
}

/** Those of the named headers (lower case) that the client sent, as a flat name, value list. */
function sentHeaders({ request }: Call, names: readonly string[]): readonly string[] {
  let sent = NONE;
  for (const name of names) {
    const value = request.headers[name];
    if (typeof value === 'string') sent = [...sent, name, value];
  }
  return sent;
}
