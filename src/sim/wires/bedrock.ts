import type { IncomingHttpHeaders } from 'node:http';
import { type WireFailure, wireFailure } from '../chat-request.ts';
import type { WireDialect } from '../wire.ts';

/** Amazon's name of an error. */
function exceptionOf({ reason, status }: WireFailure): string {
  switch (reason) {
    case 'bad_key':
      return 'UnrecognizedClientException';
    case 'unknown_model':
    case 'not_found':
      return 'ResourceNotFoundException';
    case 'unknown_path':
    case 'wrong_method':
      return 'UnknownOperationException';
    case 'rate_limited':
      return 'ThrottlingException';
    case 'overloaded':
      return 'ServiceUnavailableException';
    case 'server_error':
      return status === 424 ? 'ModelErrorException' : 'InternalServerException';
    case 'invalid':
    case 'missing_parameter':
    case 'context_length':
    case 'content_filter':
    case 'too_large':
      return status === 403 ? 'AccessDeniedException' : 'ValidationException';
  }
}

/** Bedrock's errors and words. */
export const BEDROCK: WireDialect = {
  name: 'bedrock',
  requestIdHeader: 'x-amzn-requestid',
  words: {
    unknownModel: () => 'The provided model identifier is invalid.',
    badKey: 'The security token included in the request is invalid.',
    unknownPath: () => 'Unable to determine service/operation name to be authorized',
    contextTooLong: (inputTokens, contextTokens) =>
      `The model returned the following errors: Input is too long for requested model: ${inputTokens} tokens, at most ${contextTokens}.`,
    filtered: 'The content of the request was blocked by our content filters.',
    overloaded: 'Bedrock is unable to process your request.',
    serverError: 'The system encountered an unexpected error during processing. Try your request again.',
  },
  statuses: { bad_key: 403 },
  errorBody: ({ message }) => ({ message }),
  errorHeaders: (failure) => ({ 'x-amzn-errortype': exceptionOf(failure) }),
  errorEvent(failure) {
    const name = exceptionOf(failure);
    return { event: name.charAt(0).toLowerCase() + name.slice(1), data: JSON.stringify({ message: failure.message }) };
  },
};

const SIGNATURE =
  /^AWS4-HMAC-SHA256 Credential=(?<key>[^/,\s]+)\/(?<date>\d{8})\/(?<region>[a-z0-9-]+)\/(?<service>[a-z0-9-]+)\/aws4_request,\s*SignedHeaders=(?<headers>[a-z0-9;-]+),\s*Signature=(?<signature>[0-9a-f]{64})$/;

function refused(name: string, message: string): WireFailure {
  return wireFailure(403, 'bad_key', `${name}: ${message}`);
}

/**
 * Checks that a request is signed in the form of Signature Version 4, or carries a Bedrock API key. The signature itself is not recomputed:
 * nothing here knows a secret.
 */
export function signatureFailure(headers: IncomingHttpHeaders): WireFailure | null {
  const { authorization } = headers;
  if (authorization === undefined) return refused('MissingAuthenticationTokenException', 'Missing Authentication Token');
  if (/^Bearer \S+$/.test(authorization)) return null;
  const groups = SIGNATURE.exec(authorization)?.groups;
  if (groups === undefined) return refused('IncompleteSignatureException', 'The request signature does not conform to AWS standards.');
  const date = headers['x-amz-date'];
  if (typeof date !== 'string' || !/^\d{8}T\d{6}Z$/.test(date))
    return refused('IncompleteSignatureException', 'Authorization header requires existence of either a X-Amz-Date or a Date header.');
  if (!date.startsWith(groups.date ?? ''))
    return refused(
      'SignatureDoesNotMatch',
      `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${groups.date}' != '${date}'.`,
    );
  if (groups.service !== 'bedrock') return refused('SignatureDoesNotMatch', `Credential should be scoped to correct service: 'bedrock'.`);
  const signed = new Set((groups.headers ?? '').split(';'));
  for (const name of ['host', 'x-amz-date'])
    if (!signed.has(name)) return refused('SignatureDoesNotMatch', `'${name}' must be a signed header.`);
  return null;
}
