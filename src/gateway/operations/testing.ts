/** A provider that keeps requests of any body and answers with bytes, and a gateway before it, for tests of operations besides chat. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { SnapshotModel, SnapshotProvider } from '../snapshot.ts';
import { closeServer, listen, startGateway, type TestGateway, testModel, testProvider, testSnapshot } from '../testing.ts';

export interface KeptRequest {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

export interface ByteProvider {
  readonly requests: KeptRequest[];
  answer: (request: KeptRequest, response: ServerResponse) => void;
  readonly origin: string;
  close(): Promise<void>;
}

export async function startByteProvider(): Promise<ByteProvider> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const kept = { path: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks) };
      provider.requests.push(kept);
      provider.answer(kept, response);
    });
  });
  const provider: ByteProvider = {
    requests: [],
    answer: (_request, response) => response.end('{}'),
    origin: `http://127.0.0.1:${await listen(server)}`,
    close: () => closeServer(server),
  };
  return provider;
}

/** A gateway whose model `small` is at this provider, as `kind`. */
export async function startBefore(
  provider: ByteProvider,
  kind: Partial<SnapshotProvider>,
  model: Partial<SnapshotModel> = {},
): Promise<TestGateway> {
  return startGateway(snapshotBefore(provider, kind, model));
}

export function snapshotBefore(provider: ByteProvider, kind: Partial<SnapshotProvider>, model: Partial<SnapshotModel> = {}) {
  return testSnapshot(provider.origin, {
    providers: [testProvider(provider.origin, kind)],
    models: [testModel('small', { upstreamModel: 'upstream-1', ...model }), testModel('large', { upstreamModel: 'upstream-1', ...model })],
  });
}
