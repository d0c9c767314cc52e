import { openAiErrorBody, type PlimsollError } from '../../../kernel/errors.ts';
import type { JsonObject } from '../../hub/json.ts';

/** The `error` event of a stream. SDKs read its members, or those of an `error` object in it: both say the same. */
export function errorEventData(error: PlimsollError, sequenceNumber: number): JsonObject {
  const body = openAiErrorBody(error).error;
  return { type: 'error', sequence_number: sequenceNumber, code: body.code, message: body.message, param: body.param, error: body };
}

/** For forwarded streams, whose sequence numbers we do not follow. */
export function errorEvent(error: PlimsollError): string {
  return `event: error\ndata: ${JSON.stringify(errorEventData(error, 0))}\n\n`;
}

/** `error` of a failed response; its codes are a closed list. */
export function responseError(error: PlimsollError): JsonObject {
  const isLimited = error.code === 'rate_limited' || error.code === 'provider_rate_limited' || error.code === 'budget_exceeded';
  return { code: isLimited ? 'rate_limit_exceeded' : 'server_error', message: error.message };
}
