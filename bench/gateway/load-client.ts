/** Load generator on raw TCP, one request in flight per connection. Reads one JSON job a line on stdin, answers one JSON line each. */
import { connect } from 'node:net';
import { createInterface } from 'node:readline';

export interface LoadJob {
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly connections: number;
  readonly seconds: number;
  /** The words that a streamed answer must hold, in this order and nothing else; null = answers are not looked into. */
  readonly expectedText?: string | null;
  /** What the first content of a streamed answer looks like; null = its first byte counts. */
  readonly firstContent?: string | null;
}

export interface LoadResult {
  readonly requestsPerSecond: number;
  readonly requests: number;
  readonly errors: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Streams whose text is not the expected one, to the letter and in order. */
  readonly wrongAnswers: number;
  /** Time to the first content, else to the first byte of the body. */
  readonly ttftP50Ms: number;
  readonly ttftP99Ms: number;
}

const HEADER_END = Buffer.from('\r\n\r\n');
const LAST_CHUNK = Buffer.from('0\r\n\r\n');

function quantile(sorted: Float64Array, share: number): number {
  return sorted.length === 0 ? 0 : (sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0);
}

/** Text of an answer with chunked HTTP framing taken off and the `content` of its events put together. */
function streamedText(raw: readonly Buffer[]): string {
  const bytes = Buffer.concat(raw);
  const body: Buffer[] = [];
  for (let offset = 0; offset < bytes.length; ) {
    const lineEnd = bytes.indexOf('\r\n', offset);
    const size = Number.parseInt(bytes.toString('latin1', offset, lineEnd), 16);
    if (!(size > 0)) break;
    body.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
    offset = lineEnd + 2 + size + 2;
  }
  let text = '';
  for (const line of Buffer.concat(body).toString().split('\n')) {
    if (!line.startsWith('data: {')) continue;
    const event = JSON.parse(line.slice(6)) as { choices?: { delta?: { content?: string } }[] };
    text += event.choices?.[0]?.delta?.content ?? '';
  }
  return text;
}

async function run(job: LoadJob): Promise<LoadResult> {
  const body = Buffer.from(job.body);
  const headers = Object.entries(job.headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const request = Buffer.concat([
    Buffer.from(
      `POST ${job.path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n${headers.join('')}content-length: ${body.length}\r\n\r\n`,
    ),
    body,
  ]);
  const latencies: number[] = [];
  const firsts: number[] = [];
  let errors = 0;
  let wrongAnswers = 0;
  const { expectedText = null } = job;
  const firstContent = job.firstContent == null ? null : Buffer.from(job.firstContent);
  const start = performance.now();
  const end = start + job.seconds * 1000;

  function client(): Promise<void> {
    return new Promise((resolve) => {
      const socket = connect({ port: job.port, host: '127.0.0.1', noDelay: true });
      let sentAt = 0;
      let firstAt = 0;
      /** Bytes still to come; -1 = head not seen, -2 = chunked. */
      let remaining = -1;
      let head: Buffer | null = null;
      let kept: Buffer[] = [];
      const send = (): void => {
        remaining = -1;
        head = null;
        firstAt = 0;
        sentAt = performance.now();
        socket.write(request);
      };
      const finish = (): void => {
        const now = performance.now();
        if (expectedText !== null && streamedText(kept) !== expectedText) wrongAnswers++;
        kept = [];
        if (now <= end) {
          latencies.push(now - sentAt);
          firsts.push(firstAt - sentAt);
          send();
        } else {
          socket.destroy();
          resolve();
        }
      };
      socket.on('connect', send);
      socket.on('error', () => {
        errors++;
        resolve();
      });
      socket.on('close', () => {
        if (performance.now() < end) errors++;
        resolve();
      });
      socket.on('data', (chunk: Buffer) => {
        let rest = chunk;
        if (remaining === -1) {
          rest = head === null ? chunk : Buffer.concat([head, chunk]);
          const headEnd = rest.indexOf(HEADER_END);
          if (headEnd < 0) {
            head = rest;
            return;
          }
          const text = rest.toString('latin1', 0, headEnd);
          if (!text.startsWith('HTTP/1.1 200')) errors++;
          const length = /content-length: (\d+)/i.exec(text);
          remaining = length === null ? -2 : Number(length[1]);
          rest = rest.subarray(headEnd + 4);
        }
        if (firstAt === 0 && (firstContent === null ? rest.length > 0 : rest.includes(firstContent))) firstAt = performance.now();
        if (expectedText !== null) kept.push(rest);
        if (remaining === -2) {
          if (rest.length >= 5 && rest.compare(LAST_CHUNK, 0, 5, rest.length - 5) === 0) finish();
        } else {
          remaining -= rest.length;
          if (remaining <= 0) finish();
        }
      });
    });
  }

  await Promise.all(Array.from({ length: job.connections }, client));
  const sorted = Float64Array.from(latencies).sort();
  const sortedFirsts = Float64Array.from(firsts).sort();
  return {
    requests: latencies.length,
    requestsPerSecond: latencies.length / job.seconds,
    errors,
    wrongAnswers,
    p50Ms: quantile(sorted, 0.5),
    p99Ms: quantile(sorted, 0.99),
    ttftP50Ms: quantile(sortedFirsts, 0.5),
    ttftP99Ms: quantile(sortedFirsts, 0.99),
  };
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await run(JSON.parse(line) as LoadJob)));
}
