import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A provider in OpenAI's format whose streams stop in the middle until the test lets them go on. */
export interface HeldProvider {
  readonly port: number;
  /** Streams that wait now. */
  readonly held: number;
  /** Sends the rest of every stream that waits; later ones do not wait any more. */
  release(): void;
  close(): Promise<void>;
}

export async function startHeldProvider(): Promise<HeldProvider> {
  const waiting = new Set<() => void>();
  let isReleased = false;
  let count = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(chunks).toString()) as { stream?: boolean; model: string };
      const id = `chatcmpl-${++count}`;
      const usage = { prompt_tokens: 10, completion_tokens: 2, total_tokens: 12 };
      if (body.stream !== true) {
        const message = { role: 'assistant', content: 'at once' };
        response.setHeader('content-type', 'application/json');
        response.end(
          JSON.stringify({
            id,
            object: 'chat.completion',
            created: 1,
            model: body.model,
            choices: [{ index: 0, message, finish_reason: 'stop' }],
            usage,
          }),
        );
        return;
      }
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      sendChunk(response, id, body.model, { role: 'assistant', content: 'first' }, null);
      const finish = (): void => {
        waiting.delete(finish);
        sendChunk(response, id, body.model, { content: ' last' }, null);
        sendChunk(response, id, body.model, {}, 'stop');
        response.write(
          `data: ${JSON.stringify({ id, object: 'chat.completion.chunk', created: 1, model: body.model, choices: [], usage })}\n\n`,
        );
        response.end('data: [DONE]\n\n');
      };
      if (isReleased) finish();
      else {
        waiting.add(finish);
        response.once('close', () => waiting.delete(finish));
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    get held() {
      return waiting.size;
    },
    release() {
      isReleased = true;
      for (const finish of [...waiting]) finish();
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

function sendChunk(response: ServerResponse, id: string, model: string, delta: unknown, finishReason: string | null): void {
  const chunk = { id, object: 'chat.completion.chunk', created: 1, model, choices: [{ index: 0, delta, finish_reason: finishReason }] };
  response.write(`data: ${JSON.stringify(chunk)}\n\n`);
}
