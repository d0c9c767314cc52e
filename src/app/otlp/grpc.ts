import type { IncomingHttpHeaders } from 'node:http';
import type { ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js';
import { PlimsollError, toPlimsollError } from '../../kernel/errors.ts';
import { encodeResponse, type OtlpSignal, rpcCodeOf } from '../../traces/otlp/response.ts';
import { OTLP_LIMITS } from '../../traces/otlp/span.ts';
import type { OtlpIntake } from './intake.ts';

const asIs = (bytes: Buffer): Buffer => bytes;

const SERVICES: Readonly<Record<OtlpSignal, string>> = {
  traces: 'trace.v1.TraceService',
  logs: 'logs.v1.LogsService',
  metrics: 'metrics.v1.MetricsService',
};

/** Bytes in and out: what the messages hold is read by the same code as over HTTP. */
function serviceOf(name: string) {
  return {
    export: {
      path: `/opentelemetry.proto.collector.${name}/Export`,
      requestStream: false,
      responseStream: false,
      requestSerialize: asIs,
      requestDeserialize: asIs,
      responseSerialize: asIs,
      responseDeserialize: asIs,
    },
  } as const;
}

export interface OtlpGrpcServer {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * OTLP over gRPC without TLS, as exporters expect of a collector beside them.
 * @throws PlimsollError `port_in_use`
 */
export async function startOtlpGrpc(intake: OtlpIntake, host: string, wantedPort: number): Promise<OtlpGrpcServer> {
  // Read when it is needed: it takes longer to load than all the rest of the intake.
  const { Server, ServerCredentials } = await import('@grpc/grpc-js');
  const server = new Server({ 'grpc.max_receive_message_length': OTLP_LIMITS.bodyBytes, 'grpc.max_send_message_length': 64 * 1024 });
  for (const [signal, name] of Object.entries(SERVICES) as [OtlpSignal, string][])
    server.addService(serviceOf(name), {
      export(call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) {
        exportItems(intake, call, signal).then(
          (response) => answer(null, response),
          (thrown: unknown) => {
            const error = toPlimsollError(thrown);
            intake.counters.refusedRequests += 1;
            answer({ code: rpcCodeOf(error), details: `${error.message} ${error.fix}` });
          },
        );
      },
    });
  const address = host.includes(':') ? `[${host}]` : host;
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${address}:${wantedPort}`, ServerCredentials.createInsecure(), (cause, bound) => {
      if (cause === null) resolve(bound);
      else reject(new PlimsollError('port_in_use', `Port ${wantedPort} on ${host} cannot be used: ${cause.message}`, { cause }));
    });
  });
  return {
    port,
    close: () =>
      new Promise((resolve) => {
        server.tryShutdown(() => resolve());
        setTimeout(() => server.forceShutdown(), 2_000).unref();
      }),
  };
}

async function exportItems(intake: OtlpIntake, call: ServerUnaryCall<Buffer, Buffer>, signal: OtlpSignal): Promise<Buffer> {
  const headers: IncomingHttpHeaders = {};
  for (const [name, value] of Object.entries(call.metadata.getMap())) if (typeof value === 'string') headers[name] = value;
  const caller = intake.admit(headers);
  const release = intake.hold(call.request.length);
  try {
    return encodeResponse(await intake.accept(caller, call.request, 'protobuf', signal), 'protobuf', signal);
  } finally {
    release();
  }
}
