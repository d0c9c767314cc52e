import net from 'node:net';
import { PlimsollError } from '../kernel/errors.ts';

/**
 * A bound TCP socket that can be sent to children (`child.send(message, handle)`), who listen on it.
 * The supervisor keeps it: while a gateway restarts, new connections wait in the kernel's queue instead of being refused.
 */
export interface ListenHandle {
  readonly handle: unknown;
  readonly port: number;
}

interface NativeHandle {
  getsockname(out: { port?: number }): number;
}

/** @throws PlimsollError `port_in_use` */
export async function bindPort(host: string, port: number): Promise<ListenHandle> {
  await assertFree(host, port);
  return bind(host, port);
}

function bind(host: string, port: number): ListenHandle {
  // Node has no public call that binds without accepting; this one is what `node:cluster` itself uses.
  const create = (net as unknown as { _createServerHandle(address: string, port: number, family: 4 | 6): NativeHandle | number })
    ._createServerHandle;
  const handle = create(host, port, net.isIPv6(host) ? 6 : 4);
  if (typeof handle === 'number')
    throw new PlimsollError('port_in_use', `Cannot bind ${host}:${port} (system error ${handle})`, { details: { host, port } });
  const name: { port?: number } = {};
  handle.getsockname(name);
  return { handle, port: name.port ?? port };
}

/** A real listen, since binding alone succeeds beside another listener of our own user. */
function assertFree(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = net.createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => {
      const reason =
        error.code === 'EADDRINUSE'
          ? 'another program listens there'
          : error.code === 'EACCES'
            ? 'this user may not use it'
            : error.message;
      reject(
        new PlimsollError('port_in_use', `Port ${port} on ${host} cannot be used: ${reason}`, { details: { host, port }, cause: error }),
      );
    });
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve()));
  });
}

/**
 * A loopback port for one of our own children. The bound socket never listens: it keeps the number from everyone else while the child is
 * between two lives, and a connection meanwhile is refused at once instead of waiting.
 */
export function reserveLoopbackPort(): ListenHandle {
  return bind('127.0.0.1', 0);
}
