/** A provider that costs next to nothing: raw TCP, answers made beforehand. Prints its port. */
import { createServer, type Socket } from 'node:net';
import { anthropicEvents, jsonAnswer, streamEvents } from './workloads.ts';

const HEADER_END = Buffer.from('\r\n\r\n');
const json = jsonAnswer();
const jsonResponse = Buffer.concat([
  Buffer.from(
    `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-request-id: req_stub\r\nopenai-processing-ms: 12\r\nx-ratelimit-remaining-requests: 9999\r\ncontent-length: ${json.length}\r\n\r\n`,
  ),
  json,
]);
const streamHead = Buffer.from(
  'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\nx-request-id: req_stub\r\ntransfer-encoding: chunked\r\n\r\n',
);
function httpChunk(event: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${event.length.toString(16)}\r\n`), event, Buffer.from('\r\n')]);
}
const httpChunks = streamEvents().map(httpChunk);
const lastChunk = Buffer.from('0\r\n\r\n');
const streamResponse = Buffer.concat([streamHead, ...httpChunks, lastChunk]);
const anthropicResponse = Buffer.concat([streamHead, ...anthropicEvents().map(httpChunk), lastChunk]);

function respondPaced(socket: Socket, paceMs: number): void {
  socket.write(Buffer.concat([streamHead, httpChunks[0] ?? lastChunk]));
  let event = 1;
  const stop = (): void => clearInterval(timer);
  const timer = setInterval(() => {
    const chunk = httpChunks[event++];
    if (chunk !== undefined) socket.write(chunk);
    else {
      socket.write(lastChunk);
      stop();
      socket.off('close', stop);
    }
  }, paceMs);
  socket.once('close', stop);
}

function respond(socket: Socket, request: Buffer): void {
  const body = request.toString('latin1', Math.max(0, request.length - 300));
  if (request.toString('latin1', 0, 18) === 'POST /v1/messages ') socket.write(anthropicResponse);
  else if (!body.includes('"stream":true')) socket.write(jsonResponse);
  else {
    const pace = /"seed":(\d+)/.exec(body);
    if (pace === null) socket.write(streamResponse);
    else respondPaced(socket, Number(pace[1]));
  }
}

const server = createServer({ noDelay: true }, (socket) => {
  let pending: Buffer | null = null;
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    let bytes = pending === null ? chunk : Buffer.concat([pending, chunk]);
    for (;;) {
      const headEnd = bytes.indexOf(HEADER_END);
      if (headEnd < 0) break;
      const length = /content-length: (\d+)/i.exec(bytes.toString('latin1', 0, headEnd));
      const total = headEnd + 4 + Number(length?.[1] ?? 0);
      if (bytes.length < total) break;
      respond(socket, bytes.subarray(0, total));
      bytes = bytes.subarray(total);
    }
    pending = bytes.length > 0 ? bytes : null;
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  console.log(`PORT=${typeof address === 'object' ? address?.port : ''}`);
});
process.on('disconnect', () => process.exit(0));
