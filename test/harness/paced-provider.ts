import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A provider in OpenAI's format whose streams go on, a word at a time, until the test lets them end. */
export interface PacedProvider {
  readonly port: number;
  /** Streams that run now. */
  readonly running: number;
  /** Streams whose connection was closed before their end. */
  readonly broken: number;
  /** Calls that asked for JSON. */
  readonly jsonCalls: number;
  /** The whole text of the stream that answered this question; null = it has not ended. */
  textOf(question: string): string | null;
  /** Lets every stream end after its next word; later ones too. */
  finish(): void;
  close(): Promise<void>;
}

interface PacedStream {
  readonly question: string;
  readonly response: ServerResponse;
  words: string[];
}

/** @param name stands in every word, so that an answer says who gave it */
export async function startPacedProvider(name: string, everyMs: number): Promise<PacedProvider> {
  const running = new Set<PacedStream>();
  const texts = new Map<string, string>();
  let isFinishing = false;
  let broken = 0;
  let jsonCalls = 0;

  const chunk = (response: ServerResponse, delta: unknown, finishReason: string | null): void => {
    const event = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: name };
    response.write(`data: ${JSON.stringify({ ...event, choices: [{ index: 0, delta, finish_reason: finishReason }] })}\n\n`);
  };
  const say = (stream: PacedStream): void => {
    const word = `${name}:${stream.question}:${stream.words.length} `;
    stream.words.push(word);
    chunk(stream.response, { content: word }, null);
    if (!isFinishing) return;
    running.delete(stream);
    texts.set(stream.question, stream.words.join(''));
    chunk(stream.response, {}, 'stop');
    const usage = { prompt_tokens: 10, completion_tokens: stream.words.length, total_tokens: 10 + stream.words.length };
    stream.response.write(
      `data: ${JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: name, choices: [], usage })}\n\n`,
    );
    stream.response.end('data: [DONE]\n\n');
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (data: Buffer) => chunks.push(data));
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(chunks).toString()) as { stream?: boolean; messages: { content: string }[] };
      const question = body.messages.at(-1)?.content ?? '';
      if (body.stream !== true) {
        jsonCalls++;
        const message = { role: 'assistant', content: `${name}:${question}` };
        const usage = { prompt_tokens: 10, completion_tokens: 1, total_tokens: 11 };
        const answer = {
          id: 'chatcmpl-1',
          object: 'chat.completion',
          created: 1,
          model: name,
          choices: [{ index: 0, message, finish_reason: 'stop' }],
          usage,
        };
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify(answer));
        return;
      }
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const stream: PacedStream = { question, response, words: [] };
      running.add(stream);
      response.once('close', () => {
        if (running.delete(stream)) broken++;
      });
      say(stream);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const timer = setInterval(() => {
    for (const stream of [...running]) say(stream);
  }, everyMs);
  return {
    port: (server.address() as AddressInfo).port,
    get running() {
      return running.size;
    },
    get broken() {
      return broken;
    },
    get jsonCalls() {
      return jsonCalls;
    },
    textOf: (question) => texts.get(question) ?? null,
    finish() {
      isFinishing = true;
    },
    close: () =>
      new Promise((resolve) => {
        clearInterval(timer);
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
