import { PlimsollError } from '../kernel/errors.ts';
import type { Call } from './call.ts';
import type { OutputCap } from './client-dialect.ts';
import type { CompiledEndpoint, CompiledTarget } from './compiled-snapshot.ts';

/** Faults on demand, understood by simulated providers only and sent to no other. */
const SIMULATED_FAULT_HEADER = 'x-sim-fault';

/** One HTTP request to a provider. */
export interface UpstreamRequest {
  readonly path: string;
  /** Flat name, value list. */
  readonly headers: readonly string[];
  readonly body: Buffer;
}

/** @throws PlimsollError `invalid_argument` for what the provider's dialect cannot say */
export function buildUpstreamRequest(call: Call, target: CompiledTarget, endpoint: CompiledEndpoint): UpstreamRequest {
  const path = call.body?.isStream === true ? endpoint.streamPath : endpoint.path;
  return { path, headers: requestHeaders(call, target.provider), body: encodeBody(call, target, endpoint) };
}

function encodeBody(call: Call, target: CompiledTarget, { endpoint, isForwarded }: CompiledEndpoint): Buffer {
  const { body } = call;
  if (body === null) throw new PlimsollError('internal', 'infer ran before admit');
  const cap = outputCap(call, target);
  if (isForwarded) return call.dialect.forwardBody(body, target.upstreamModelJson, cap);
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

function requestHeaders(call: Call, provider: CompiledTarget['provider']): readonly string[] {
  if (!provider.isSimulated) return provider.headers;
  const fault = call.request.headers[SIMULATED_FAULT_HEADER];
  return typeof fault === 'string' ? [...provider.headers, SIMULATED_FAULT_HEADER, fault] : provider.headers;
}
