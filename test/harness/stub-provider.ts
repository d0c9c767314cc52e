import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A provider in OpenAI's format that answers at once: for tests that are about Plimsoll's own behaviour. */
export interface StubProvider {
  readonly port: number;
  readonly requests: { count: number };
  close(): Promise<void>;
}

export async function startStubProvider(delayMs: () => number = () => 0): Promise<StubProvider> {
  const requests = { count: 0 };
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      requests.count += 1;
      const body = JSON.parse(Buffer.concat(chunks).toString() || '{}') as { stream?: boolean; model?: string };
      const id = `chatcmpl-${requests.count}`;
      const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };
      setTimeout(() => {
        if (body.stream !== true) {
          const text = JSON.stringify({
            id,
            object: 'chat.completion',
            created: 1,
            model: body.model,
            choices: [{ index: 0, message: { role: 'assistant', content: 'All is well.' }, finish_reason: 'stop' }],
            usage,
          });
          response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
          response.end(text);
          return;
        }
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        const event = (data: unknown): void => void response.write(`data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`);
        const chunk = (delta: unknown, finish: string | null = null): void =>
          event({
            id,
            object: 'chat.completion.chunk',
            created: 1,
            model: body.model,
            choices: [{ index: 0, delta, finish_reason: finish }],
          });
        chunk({ role: 'assistant', content: '' });
        for (const word of ['All ', 'is ', 'well.']) chunk({ content: word });
        chunk({}, 'stop');
        event({ id, object: 'chat.completion.chunk', created: 1, model: body.model, choices: [], usage });
        event('[DONE]');
        response.end();
      }, delayMs());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

/** A configuration with two priced models at a stub. */
export function stubConfig(port: number, extra = ''): string {
  return `version: 1
providers: { stub: { kind: openai-compatible, baseUrl: "http://127.0.0.1:${port}/v1", timeouts: { connectMs: 1000, firstByteMs: 5000, idleMs: 5000, totalMs: 10000 } } }
models: { stub-model: { provider: stub, model: stub-1 } }
prices: { stub-model: { inputPerMillionUsd: 1, outputPerMillionUsd: 2 } }
routes: { default: { targets: [stub-model] } }
features: { load: { owner: test, costOwner: a@example.com, route: default } }
${extra}`;
}
