/** The floor: the least that a proxy on node:http and undici can do. No key, no scan, no record. Prints its port. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type Dispatcher, Pool } from 'undici';

const upstream = new Pool(process.argv[2] ?? '', { connections: 512, pipelining: 1, allowH2: false, headersTimeout: 0, bodyTimeout: 0 });
const headers = ['content-type', 'application/json', 'authorization', 'Bearer sk-bench', 'accept-encoding', 'identity'];

class Relay implements Dispatcher.DispatchHandler {
  readonly #response: ServerResponse;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  onRequestStart(): void {}
  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    incoming: Record<string, string | string[] | undefined>,
  ): void {
    const head: string[] = [];
    for (const name in incoming) {
      const value = incoming[name];
      if (typeof value === 'string' && name !== 'connection' && name !== 'transfer-encoding' && name !== 'keep-alive')
        head.push(name, value);
    }
    this.#response.writeHead(status, head);
  }
  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    // A client that left never drains: its connection to the provider would wait for ever, and with some hundred of them the pool is used up.
    if (this.#response.destroyed) controller.abort(new Error('the client left'));
    else if (!this.#response.write(chunk)) {
      controller.pause();
      this.#response.once('drain', () => controller.resume());
      this.#response.once('close', () => controller.abort(new Error('the client left')));
    }
  }
  onResponseEnd(): void {
    this.#response.end();
  }
  onResponseError(): void {
    this.#response.destroy();
  }
}

const server = createServer((request: IncomingMessage, response: ServerResponse) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const body = chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
    upstream.dispatch({ path: '/v1/chat/completions', method: 'POST', headers, body }, new Relay(response));
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  console.log(`PORT=${typeof address === 'object' ? address?.port : ''}`);
});
process.on('disconnect', () => process.exit(0));
process.on('SIGINT', () => process.exit(0));
