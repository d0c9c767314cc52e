/** Calls that cost nothing at a provider and have no row in the ledger: counting tokens, and answers that a provider has stored. */
import { request } from 'undici';
import { PlimsollError } from '../kernel/errors.ts';
import { wholeBody } from './body/chat-body.ts';
import { estimateRequestTokens } from './body/estimate-request-tokens.ts';
import type { Call } from './call.ts';
import type { CompiledProvider, CompiledTarget } from './compiled-snapshot.ts';
import type { GatewayContext } from './gateway-context.ts';
import type { ResponseHeaders } from './provider.ts';
import { answerHead } from './response-headers.ts';
import { authenticate } from './stages/authenticate.ts';
import { receive } from './stages/receive.ts';
import { allowedDestinations, findDestination, route } from './stages/route.ts';
import { assertTargetAllowed, isTargetAllowed } from './target-policy.ts';
import { extraHeaders } from './upstream-request.ts';

/** Tells that a count is ours and not the provider's. */
const ESTIMATED = ['x-plimsoll-token-count', 'estimated'];

const NOTHING = Buffer.alloc(0);
/** Answers of these calls are small: a count, one stored response. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

interface Exchanged {
  readonly status: number;
  readonly headers: ResponseHeaders;
  readonly body: Buffer;
}

/**
 * One whole request and answer with a provider, bounded in time and size. Not the pipeline's client: these calls are rare, and not all are POSTs.
 * @throws PlimsollError `provider_timeout`, `provider_unavailable`, `provider_auth_failed`, `client_closed`
 */
async function exchange(
  call: Call,
  provider: CompiledProvider,
  { method, path, body }: { readonly method: 'GET' | 'POST' | 'DELETE'; readonly path: string; readonly body: Buffer },
  context: GatewayContext,
): Promise<Exchanged> {
  const { name, missingSecret, timeouts } = provider;
  const details = { provider: name };
  if (missingSecret !== null)
    throw new PlimsollError('provider_auth_failed', `The credential of "${name}" is missing: ${missingSecret} is not set.`, { details });
  const headers = [...provider.headers, ...extraHeaders(call, provider, path, body, true, context)];
  const controller = new AbortController();
  call.running = { fail: (error) => controller.abort(error) };
  const timer = context.clock.setTimer(timeouts.firstByteMs, () =>
    controller.abort(
      new PlimsollError('provider_timeout', `"${name}" did not answer within ${timeouts.firstByteMs} ms.`, {
        details: { ...details, timeout: 'firstByte', timeoutMs: timeouts.firstByteMs },
      }),
    ),
  );
  try {
    const answer = await request(`${provider.origin}${path}`, {
      method,
      headers,
      body: method === 'POST' ? body : null,
      signal: controller.signal,
    });
    return { status: answer.statusCode, headers: answer.headers, body: await readAnswer(answer.body, name) };
  } catch (thrown) {
    if (thrown instanceof PlimsollError) throw thrown;
    throw new PlimsollError('provider_unavailable', `"${name}" could not be reached or closed the connection.`, { details, cause: thrown });
  } finally {
    timer.cancel();
    call.running = null;
  }
}

async function readAnswer(body: AsyncIterable<Buffer>, provider: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES)
      throw new PlimsollError('provider_bad_response', `"${provider}" sent more than ${MAX_ANSWER_BYTES} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes);
}

/** @throws PlimsollError for a status that is no success */
function requireSuccess({ status, headers, body }: Exchanged, provider: CompiledProvider, { tokens }: GatewayContext): void {
  if (status >= 200 && status < 300) return;
  const { code, message } = provider.adapter.classifyError(status, body.toString('utf8', 0, 64 * 1024), headers);
  const error = new PlimsollError(status === 404 ? 'not_found' : code, message, { details: { provider: provider.name, status } });
  throw tokens.redactError(error, provider);
}

function send(call: Call, body: Buffer, model: string | null, extra: readonly string[] = []): void {
  if (call.isClientGone) return;
  call.response.writeHead(200, [...answerHead(call, 'application/json', model), ...extra, 'content-length', String(body.length)]);
  call.response.end(body);
}

/**
 * Input tokens of a request: counted by the provider where the first target speaks the client's dialect and counts, else estimated and marked so.
 * @throws PlimsollError as a chat call that is refused before a provider is asked, or as the provider's own refusal
 */
export async function countTokens(call: Call, context: GatewayContext): Promise<void> {
  authenticate(call, context);
  await receive(call, context);
  route(call);
  const target = call.destination?.targets[0];
  const { body, dialect } = call;
  if (target === undefined || body === null || dialect.encodeTokenCount === undefined)
    throw new PlimsollError('internal', 'Tokens of a dialect without a count were asked for');
  const path = countPath(target, call);
  if (path === null) {
    send(call, Buffer.from(JSON.stringify(dialect.encodeTokenCount(estimateRequestTokens(call.parsedBody())))), target.model, ESTIMATED);
    return;
  }
  const { provider } = target;
  assertTargetAllowed(call, target);
  const answer = await exchange(
    call,
    provider,
    { method: 'POST', path, body: wholeBody(dialect.forwardBody(body, target.upstreamModelJson, null)) },
    context,
  );
  requireSuccess(answer, provider, context);
  send(call, answer.body, target.model);
}

function countPath({ provider, upstreamModel, endpointFor }: CompiledTarget, { dialect }: Call): string | null {
  const { endpoint, isForwarded } = endpointFor(dialect.name);
  if (!isForwarded || endpoint.countTokensPath === undefined) return null;
  return `${provider.basePath}${endpoint.countTokensPath(upstreamModel, provider.settings)}`;
}

interface AnswerStore {
  readonly provider: CompiledProvider;
  readonly path: (id: string) => string;
}

/**
 * Providers that may hold an answer of this key: those of the models that it may use, each once, in the snapshot's order. An id does not tell
 * where it lives; `x-plimsoll-model` on the request narrows it to the targets of one model or route.
 */
function answerStores(call: Call): AnswerStore[] {
  if (call.caller === null) throw new PlimsollError('internal', 'Stored answers were asked for before authenticate');
  const { key, feature } = call.caller;
  const named = call.request.headers['x-plimsoll-model'];
  const destinations =
    typeof named === 'string' && named !== ''
      ? [findDestination(named, key, feature, call.snapshot)]
      : allowedDestinations(key, call.snapshot);
  const stores = new Map<string, AnswerStore>();
  for (const target of destinations.flatMap(({ targets }) => targets)) {
    const { endpoint, isForwarded } = target.endpointFor(call.dialect.name);
    const { storedAnswerPath: path } = endpoint;
    // A feature reads only where it may write.
    if (isForwarded && path !== undefined && isTargetAllowed(call, target))
      stores.set(target.provider.name, { provider: target.provider, path });
  }
  return [...stores.values()];
}

/**
 * Reads or deletes an answer that a provider has stored: asks the providers that may hold it, in order, until one knows the id.
 * @throws PlimsollError `not_found` when none does
 */
export async function readStoredAnswer(call: Call, context: GatewayContext): Promise<void> {
  authenticate(call, context);
  const method = call.request.method === 'DELETE' ? 'DELETE' : 'GET';
  const [path = '', query] = call.path.split('?', 2);
  const id = path.slice(path.lastIndexOf('/') + 1);
  if (!/^[A-Za-z0-9_-]{1,200}$/.test(id)) throw new PlimsollError('not_found', `There is no stored response "${id.slice(0, 100)}".`);
  if (new URLSearchParams(query ?? '').get('stream') === 'true')
    throw new PlimsollError('invalid_argument', 'A stored response is not streamed here; read it whole.', { details: { param: 'stream' } });
  const stores = answerStores(call);
  for (const store of stores) {
    const { provider } = store;
    const request = {
      method,
      path: `${provider.basePath}${store.path(id)}${query === undefined ? '' : `?${query}`}`,
      body: NOTHING,
    } as const;
    const answer = await exchange(call, provider, request, context);
    if (answer.status === 404) continue;
    requireSuccess(answer, provider, context);
    send(call, answer.body, null);
    return;
  }
  const asked = stores.map(({ provider }) => provider.name).join(', ');
  throw new PlimsollError(
    'not_found',
    stores.length === 0 ? 'No provider of this key stores responses.' : `No provider knows the response "${id}"; asked: ${asked}.`,
    { details: { param: 'response_id' } },
  );
}
