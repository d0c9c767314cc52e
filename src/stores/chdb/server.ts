import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PlimsollError } from '../../kernel/errors.ts';
import type { EngineHealth, EngineLimits, Lanes } from './engine.ts';
import { EngineException, toExceptionAnswer } from './exception.ts';
import { executeStatement } from './execute.ts';
import { BodyBudget, digestToken, isAuthorised, readEngineRequest } from './request.ts';

interface ServerOptions {
  readonly lanes: Lanes;
  readonly limits: EngineLimits;
  readonly token: string;
  readonly port: number;
  readonly health: () => Promise<EngineHealth>;
  /** Where files stand while they are sent. */
  readonly spoolDirectory: string;
}

/** The HTTP face: authentication, bodies and answers. What a statement means is in execute.ts. */
export async function startServer(options: ServerOptions): Promise<{ port: number; close(): Promise<void> }> {
  const tokenDigest = digestToken(options.token);
  const budget = new BodyBudget(options.limits.maxBodyBytes, options.limits.maxHeldBodyBytes);
  const server = createServer({ maxHeaderSize: 1024 * 1024, keepAliveTimeout: 60_000, requestTimeout: 120_000 }, (request, response) => {
    void answer(request, response, options, tokenDigest, budget);
  });
  server.listen(options.port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch (cause) {
    throw new PlimsollError('port_in_use', `The engine cannot listen on 127.0.0.1:${options.port}.`, {
      details: { port: options.port },
      cause,
    });
  }
  return {
    port: (server.address() as AddressInfo).port, // a TCP server's address is never a string
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  options: ServerOptions,
  tokenDigest: Buffer,
  budget: BodyBudget,
): Promise<void> {
  let release = () => {};
  try {
    if (!isAuthorised(request.headers, tokenDigest))
      throw new EngineException(516, 'AUTHENTICATION_FAILED', 'The engine token is missing or wrong');
    if (request.method === 'GET' && request.url?.startsWith('/ping')) {
      const health = await options.health();
      if (!health.isHealthy) throw new EngineException(1002, 'UNKNOWN_EXCEPTION', `The engine is not healthy: ${health.problem}`);
      response.end('Ok.\n');
      return;
    }
    if (request.method !== 'GET' && request.method !== 'POST')
      throw new EngineException(48, 'NOT_IMPLEMENTED', `Method ${request.method}; use GET or POST`);
    const read = await readEngineRequest(request, budget);
    release = read.release;
    const asked = request.headers['x-plimsoll-lane'];
    const laneName = asked === 'adhoc' || asked === 'console' ? asked : 'dashboard';
    await executeStatement(read.call, response, options.lanes, options.limits, laneName, options.spoolDirectory);
  } catch (error) {
    sendException(response, error);
  } finally {
    release();
  }
}

function sendException(response: ServerResponse, error: unknown): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const { code, status, text } = toExceptionAnswer(error);
  response.writeHead(status, {
    'content-type': 'text/plain; charset=UTF-8',
    'x-clickhouse-exception-code': String(code),
    ...(status === 503 ? { 'retry-after': '1' } : {}),
    ...(status === 401 || status === 413 ? { connection: 'close' } : {}),
  });
  response.end(text);
}
