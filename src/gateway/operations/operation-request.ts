import { PlimsollError } from '../../kernel/errors.ts';
import type { BodyPieces } from '../body/chat-body.ts';
import type { Call } from '../call.ts';
import type { CompiledOperation, CompiledTarget, Destination } from '../compiled-snapshot.ts';
import type { GatewayContext } from '../gateway-context.ts';
import type { Operation } from '../provider.ts';
import type { OutgoingRequest } from '../upstream/exchange.ts';
import { extraHeaders } from '../upstream-request.ts';

const JSON_TYPE = 'application/json';

/** In words for messages: `image_edit` → `image edit`. */
function wordsOf(operation: Operation): string {
  return operation.replace('_', ' ');
}

/** @throws PlimsollError `invalid_argument` for a target whose provider does not serve the operation */
export function operationAt(target: CompiledTarget, operation: Operation): CompiledOperation {
  const found = target.operationFor(operation);
  if (found !== null) return found;
  throw new PlimsollError('invalid_argument', `"${target.model}" (${target.provider.kind}) does not serve ${wordsOf(operation)}.`, {
    details: { param: 'model', operation },
  });
}

/**
 * The targets of a destination that serve what is asked for.
 * @throws PlimsollError `invalid_argument` when none does
 */
export function servingDestination(destination: Destination, operation: Operation): Destination {
  const serves = (target: CompiledTarget): boolean => target.operationFor(operation) !== null;
  const targets = destination.targets.filter(serves);
  if (targets.length === destination.targets.length) return destination;
  if (targets.length > 0) {
    const { routing } = destination;
    const candidates = routing?.candidates.filter(({ target }) => serves(target)) ?? [];
    return { ...destination, targets, routing: routing === null ? null : { ...routing, candidates } };
  }
  const kinds = destination.targets.map((target) => `${target.model} (${target.provider.kind})`).join(', ');
  throw new PlimsollError(
    'invalid_argument',
    `No target of "${destination.name}" serves ${wordsOf(operation)}: ${kinds}. Name a model of a provider that does; docs/reference/providers.md lists them.`,
    { details: { param: 'model', operation } },
  );
}

/** @throws PlimsollError `invalid_argument` for what the provider cannot be told, `provider_unavailable` while there is no access token */
export function buildOperationRequest(call: Call, target: CompiledTarget, operation: Operation, context: GatewayContext): OutgoingRequest {
  const { endpoint, path } = operationAt(target, operation);
  if (call.body === null) throw new PlimsollError('internal', 'infer ran before the body was read');
  let body: Buffer | BodyPieces;
  if (endpoint.encode === undefined) body = forwardedBody(call, target);
  else {
    const encoded = endpoint.encode(call.parsedBody(), target.upstreamModel);
    call.warnings.push(...encoded.warnings);
    body = Buffer.from(JSON.stringify(encoded.body));
  }
  const { provider } = target;
  const isMultipart = call.dialect.operation?.isMultipart ?? false;
  const own = extraHeaders(call, provider, path, body, false, context);
  if (!isMultipart) return { path, headers: provider.headers, extraHeaders: own, body };
  return {
    path,
    headers: provider.headersWithoutType,
    extraHeaders: ['content-type', call.request.headers['content-type'] ?? JSON_TYPE, ...own],
    body,
  };
}

function forwardedBody({ body, dialect }: Call, target: CompiledTarget): BodyPieces {
  if (body === null) throw new PlimsollError('internal', 'infer ran before the body was read');
  // In a form the model is its bare name, in JSON a string.
  const model = dialect.operation?.isMultipart ? Buffer.from(target.upstreamModel) : target.upstreamModelJson;
  return dialect.forwardBody(body, model, null);
}
