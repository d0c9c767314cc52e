import type { AddressInfo, Server, Socket } from 'node:net';
import { PlimsollError } from '../kernel/errors.ts';

export function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const refuse = (cause: NodeJS.ErrnoException): void => {
      const isTaken = cause.code === 'EADDRINUSE';
      reject(
        new PlimsollError(
          isTaken ? 'port_in_use' : 'internal',
          `The simulated providers cannot listen on ${host}:${port}: ${cause.message}`,
          { details: { host, port }, cause },
        ),
      );
    };
    server.once('error', refuse);
    server.listen(port, host, () => {
      server.off('error', refuse);
      resolve((server.address() as AddressInfo).port); // a TCP server that listens has an AddressInfo
    });
  });
}

/** `refusing`: the port is closed; `resetting`: connections are accepted and reset. */
export type ListenerState = 'serving' | 'refusing' | 'resetting';

/** A listener that can refuse or reset connections for a while. */
export class SwitchableListener {
  readonly #server: Server;
  readonly #host: string;
  readonly #sockets = new Set<Socket>();
  #port = 0;
  #state: ListenerState = 'serving';
  #isClosed = false;
  /** Openings and closings, one after the other. */
  #work: Promise<void> = Promise.resolve();

  constructor(server: Server, host: string) {
    this.#server = server;
    this.#host = host;
    server.on('connection', (socket: Socket) => {
      if (this.#state === 'resetting') {
        socket.resetAndDestroy();
        return;
      }
      this.#sockets.add(socket);
      socket.once('close', () => void this.#sockets.delete(socket));
    });
  }

  async open(port: number): Promise<number> {
    this.#port = await listen(this.#server, port, this.#host);
    return this.#port;
  }

  /** Resolves when the port is in this state. Leaving `serving` resets every open connection. */
  become(state: ListenerState): Promise<void> {
    if (this.#isClosed || state === this.#state) return this.#work;
    this.#state = state;
    this.#work = this.#work.then(async () => {
      if (state === 'refusing') await this.#shut();
      else if (!this.#isClosed && !this.#server.listening) await listen(this.#server, this.#port, this.#host);
    });
    if (state !== 'serving') this.#resetAll();
    return this.#work;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#work;
    await this.#shut();
  }

  #resetAll(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  #shut(): Promise<void> {
    return new Promise((resolve) => {
      if (!this.#server.listening) return resolve();
      this.#server.close(() => resolve());
      this.#resetAll();
    });
  }
}
