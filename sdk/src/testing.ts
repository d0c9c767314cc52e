import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ReceivedSpan {
  readonly traceId: string;
  readonly name: string;
  readonly feature: string | null;
  readonly status: number;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** Takes OTLP/HTTP JSON as Plimsoll does, and can be made slow, refusing, or deaf. */
export class Receiver {
  readonly #server: Server;
  readonly spans: ReceivedSpan[] = [];
  readonly authorizations: (string | undefined)[] = [];
  requests = 0;
  /** null = it takes requests and never answers. */
  status: number | null = 200;

  private constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        this.requests += 1;
        this.authorizations.push(request.headers.authorization);
        if (this.status === null) return;
        if (this.status === 200) this.#take(JSON.parse(Buffer.concat(chunks).toString()));
        response.writeHead(this.status).end('{}');
      });
    });
  }

  static async start(): Promise<Receiver> {
    const receiver = new Receiver();
    await new Promise<void>((resolve) => receiver.#server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`; // listens on a port
  }

  #take(body: {
    resourceSpans: {
      resource: { attributes: { key: string; value: { stringValue: string } }[] };
      scopeSpans: { spans: { traceId: string; name: string; status: { code: number }; attributes: { key: string; value: unknown }[] }[] }[];
    }[];
  }): void {
    for (const { resource, scopeSpans } of body.resourceSpans) {
      const feature = resource.attributes.find(({ key }) => key === 'plimsoll.feature')?.value.stringValue ?? null;
      for (const { traceId, name, status, attributes } of scopeSpans.flatMap(({ spans }) => spans)) {
        const plain = attributes.map(({ key, value }) => [key, plainOf(value)] as const);
        this.spans.push({ traceId, name, feature, status: status.code, attributes: Object.fromEntries(plain) });
      }
    }
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

function plainOf(value: unknown): unknown {
  const [[kind, plain] = []] = Object.entries(value as Record<string, unknown>); // one member, by OTLP
  if (kind === 'intValue') return Number(plain);
  if (kind === 'arrayValue') return (plain as { values: unknown[] }).values.map(plainOf); // by OTLP
  return plain;
}
