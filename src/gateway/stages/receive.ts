import { isUtf8 } from 'node:buffer';
import { PlimsollError } from '../../kernel/errors.ts';
import { metadataTags } from '../body/chat-body.ts';
import { readBody } from '../body/read-body.ts';
import type { Call } from '../call.ts';
import type { GatewayContext } from '../gateway-context.ts';
import { refuseEarly } from './admit.ts';
import { checkLabel, checkTags } from './authenticate.ts';

function checkContentType(call: Call): void {
  const { headers } = call.request;
  const type = headers['content-type'] ?? '';
  const isExpected = call.dialect.operation?.isMultipart
    ? /^multipart\/form-data\s*;/i.test(type)
    : type === 'application/json' || /^application\/json\s*(;|$)/i.test(type);
  if (!isExpected) {
    throw new PlimsollError(
      'unsupported_media_type',
      type === '' ? 'The request has no content-type.' : `The content-type is "${type.slice(0, 100)}".`,
    );
  }
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    throw new PlimsollError(
      'unsupported_media_type',
      `The body is compressed (content-encoding: ${encoding.slice(0, 100)}); send it plain.`,
    );
  }
}

/**
 * Takes the call in, or says why not: capacity, journal, limits that are used up whatever the body says, then the body. All of that but the body
 * is synchronous and comes before its first byte is read.
 */
export async function receive(call: Call, context: GatewayContext): Promise<void> {
  const { limits } = call.snapshot;
  if (context.activeCalls.size > limits.maxConcurrentRequests) {
    throw new PlimsollError('rate_limited', `This gateway already serves ${limits.maxConcurrentRequests} calls, its limit.`, {
      details: { maxConcurrentRequests: limits.maxConcurrentRequests, retryAfterSeconds: 1 },
    });
  }
  if (!context.journal.canAccept())
    throw new PlimsollError('journal_full', 'The journal cannot take another call: the disk is full or gone.');
  refuseEarly(call, context);
  checkContentType(call);
  const bytes = await readBody(call, limits.maxBodyBytes);
  if (!call.dialect.operation?.isMultipart && !isUtf8(bytes)) throw new PlimsollError('invalid_argument', 'The body is not valid UTF-8.');
  const body = call.dialect.scan(bytes, call.snapshot.bodyScanner, call.path, call.request.headers['content-type']);
  call.body = body;
  if (call.user === null && body.user !== null && body.user !== '') call.user = checkLabel('user', body.user);
  if (body.metadata !== null && Object.keys(call.tags).length === 0) call.tags = checkTags('metadata', metadataTags(body));
}
