import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { dialectOf, SUPPORTED_ENDPOINTS } from '../gateway/endpoints.ts';
import { openAiErrorBody, PlimsollError } from '../kernel/errors.ts';

/** Node's codes of requests that never became one, with the status that belongs to them. */
const STATUS_LINES: Readonly<Record<string, readonly [statusLine: string, message: string]>> = {
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'The request headers are larger than 16 KiB.'],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'The request was not complete in time.'],
};

/** What is not HTTP, too large a head, or too slow to be a request: a clear answer on the bare socket, then the end of the connection. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
  const [statusLine, message] = STATUS_LINES[error.code ?? ''] ?? ['400 Bad Request', 'This is not a request in HTTP/1.1.'];
  // An answer that is under way on this connection must not get a second one written into it (Node's own handler looks at the same field).
  const answering = (socket as { _httpMessage?: { headersSent: boolean } | null })._httpMessage;
  if (!socket.writable || error.code === 'ECONNRESET' || answering?.headersSent) {
    socket.destroy();
    return;
  }
  const body = JSON.stringify(openAiErrorBody(new PlimsollError('invalid_argument', message)));
  socket.end(
    `HTTP/1.1 ${statusLine}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

/** Whether who asks there speaks a model API. */
export function isModelPath(url: string): boolean {
  return /^\/v1(beta\d*|alpha)?(\/|\?|$)/.test(url);
}

/** A path of a model API that this process does not serve: who calls there must not be handed a web page. */
export function answerUnknownModelPath(request: IncomingMessage, response: ServerResponse): void {
  const [path = '/'] = (request.url ?? '/').split('?', 1);
  const error = new PlimsollError('not_found', `There is nothing at ${request.method} ${path}. Supported: ${SUPPORTED_ENDPOINTS}.`);
  const body = JSON.stringify(dialectOf(path, request.headers).errorBody(error, null));
  response.writeHead(error.status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
  });
  response.end(body);
}
