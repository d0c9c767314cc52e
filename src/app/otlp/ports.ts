import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ChildContext } from '../child-process.ts';
import { type OtlpGrpcServer, startOtlpGrpc } from './grpc.ts';
import { createOtlpServer } from './http.ts';
import type { OtlpIntake } from './intake.ts';

/**
 * Listens where exporters send by default. A port that another program has (a collector, most likely) is left to it: the main port takes
 * the same requests.
 */
export class OtlpPorts {
  readonly #context: ChildContext;
  readonly #intake: OtlpIntake;
  #http: Server | null = null;
  #grpc: OtlpGrpcServer | null = null;

  constructor(context: ChildContext, intake: OtlpIntake) {
    this.#context = context;
    this.#intake = intake;
  }

  async listen(): Promise<void> {
    const { host, otlpHttpPort, otlpGrpcPort } = this.#context.environment;
    await Promise.all([
      otlpHttpPort === null ? null : this.#try('http', otlpHttpPort, () => this.#listenHttp(host, otlpHttpPort)),
      otlpGrpcPort === null ? null : this.#try('grpc', otlpGrpcPort, () => this.#listenGrpc(host, otlpGrpcPort)),
    ]);
  }

  async #try(protocol: string, wanted: number, listen: () => Promise<number>): Promise<void> {
    try {
      this.#context.log('info', 'otlp_listening', { protocol, port: await listen() });
    } catch (error) {
      this.#context.log('warn', 'otlp_port_taken', { protocol, port: wanted, message: (error as Error).message });
    }
  }

  #listenHttp(host: string, port: number): Promise<number> {
    const server = createOtlpServer(this.#intake);
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port, exclusive: true }, () => {
        this.#http = server;
        resolve((server.address() as AddressInfo).port); // a TCP server that listens has one
      });
    });
  }

  async #listenGrpc(host: string, port: number): Promise<number> {
    this.#grpc = await startOtlpGrpc(this.#intake, host, port);
    return this.#grpc.port;
  }

  async close(): Promise<void> {
    this.#http?.close();
    this.#http?.closeIdleConnections();
    await this.#grpc?.close();
    this.#http?.closeAllConnections();
  }
}
