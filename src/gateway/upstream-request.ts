import { PlimsollError } from '../kernel/errors.ts';
import type { Call } from './call.ts';
import type { CompiledEndpoint, CompiledTarget } from './compiled-snapshot.ts';
import type { OutgoingRequest } from './upstream/exchange.ts';

/** Faults on demand, understood by simulated providers only and sent to no other. */
const SIMULATED_FAULT_HEADER = 'x-sim-fault';
const NONE: readonly string[] = [];

/** @throws PlimsollError `invalid_argument` for what the provider's dialect cannot say */
export function buildUpstreamRequest(call: Call, target: CompiledTarget, endpoint: CompiledEndpoint): OutgoingRequest {
  const path = call.body?.isStream === true ? endpoint.streamPath : endpoint.path;
  const { headers, isSimulated } = target.provider;
  return { path, headers, extraHeaders: isSimulated ? faultHeader(call) : NONE, body: encodeBody(call, target, endpoint) };
}

function encodeBody(call: Call, target: CompiledTarget, { endpoint, isForwarded }: CompiledEndpoint): Buffer {
  const { body } = call;
  if (body === null) throw new PlimsollError('internal', 'infer ran before admit');
  if (isForwarded) return call.dialect.forwardBody(body, target.upstreamModelJson);
  const hub = call.hubRequest();
  if (endpoint.encodeRequest === null) {
    const wantsUsage = body.isStream ? { stream_options: { include_usage: true } } : {};
    return Buffer.from(JSON.stringify({ ...hub, model: target.upstreamModel, ...wantsUsage }));
  }
  const encoded = endpoint.encodeRequest(hub, target.upstreamModel);
  call.warnings.push(...encoded.warnings);
  return Buffer.from(JSON.stringify(encoded.body));
}

function faultHeader(call: Call): readonly string[] {
  const fault = call.request.headers[SIMULATED_FAULT_HEADER];
  return typeof fault === 'string' ? [SIMULATED_FAULT_HEADER, fault] : NONE;
}
