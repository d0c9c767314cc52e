import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A call says by its first word what it is for, and whether the provider behaves. */
export type Manner = 'calm' | 'wild';

/** A provider in OpenAI's format that keeps an invoice, and fails, breaks off and lies where it may. */
export interface BillingProvider {
  readonly port: number;
  /** What each finished answer costs, by its id: pico-dollars at 1 µ$ an input and 4 µ$ an output token. */
  readonly invoice: ReadonlyMap<string, { readonly feature: string; readonly picoUsd: bigint }>;
  /** Most calls that were worked on at a time, by feature. */
  readonly mostInFlight: ReadonlyMap<string, number>;
  close(): Promise<void>;
}

export const BILLING_PRICES = '{ inputPerMillionUsd: 1, outputPerMillionUsd: 4 }';

interface ChatRequest {
  readonly model: string;
  readonly stream?: boolean;
  readonly max_tokens: number;
  readonly messages: readonly { readonly content: string }[];
}

/** @param latencyMs of an answer to a call of a feature */
export async function startBillingProvider(latencyMs: (feature: string) => number): Promise<BillingProvider> {
  const invoice = new Map<string, { feature: string; picoUsd: bigint }>();
  const inFlight = new Map<string, number>();
  const mostInFlight = new Map<string, number>();
  let answers = 0;

  function receive(request: ChatRequest, bytes: number, response: ServerResponse): void {
    const [manner = '', feature = ''] = (request.messages[0]?.content ?? '').split(' ');
    const now = (inFlight.get(feature) ?? 0) + 1;
    inFlight.set(feature, now);
    mostInFlight.set(feature, Math.max(mostInFlight.get(feature) ?? 0, now));
    const over = (): void => void inFlight.set(feature, (inFlight.get(feature) ?? 0) - 1);
    setTimeout(() => {
      // No longer in flight when the gateway may have the answer.
      over();
      answer(request, bytes, response, manner, feature);
    }, latencyMs(feature));
  }

  function answer(request: ChatRequest, bytes: number, response: ServerResponse, manner: string, feature: string): void {
    const id = `chatcmpl-${++answers}`;
    // The ledger keeps a provider's own usage as it came: by the receipt in it an entry of the invoice is found there.
    const usage = { prompt_tokens: Math.floor(bytes / 8), completion_tokens: Math.floor(Math.random() * request.max_tokens), receipt: id };
    const bill = (): void =>
      void invoice.set(id, { feature, picoUsd: BigInt(usage.prompt_tokens) * 1_000_000n + BigInt(usage.completion_tokens) * 4_000_000n });
    const base = { id, created: 1, model: request.model };
    const chunk = (choices: unknown[], rest = {}): string => `data: ${JSON.stringify({ ...base, choices, ...rest })}\n\n`;
    const sendJson = (body: unknown, status = 200): void => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    };
    const fate = manner === 'wild' ? Math.random() : 1;
    if (fate < 0.06) sendJson({ error: { message: 'overloaded' } }, 503);
    else if (fate < 0.1) response.destroy();
    else if (fate < 0.12) sendJson({ error: { message: 'slow down' } }, 429);
    else if (request.stream !== true) {
      bill();
      sendJson({ ...base, choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }], usage });
    } else {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(chunk([{ index: 0, delta: { content: 'Hi' }, finish_reason: null }]));
      if (fate < 0.18) setImmediate(() => response.destroy());
      else
        setTimeout(() => {
          if (response.destroyed) return;
          bill();
          response.end(`${chunk([{ index: 0, delta: {}, finish_reason: 'stop' }])}${chunk([], { usage })}data: [DONE]\n\n`);
        }, 2);
    }
  }

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      receive(JSON.parse(body.toString()) as ChatRequest, body.length, response);
    });
    response.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    invoice,
    mostInFlight,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
