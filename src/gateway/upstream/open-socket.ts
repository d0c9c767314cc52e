import { connect as connectTcp, isIP, type OnReadOpts, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** Where a pool connects to. */
export interface Endpoint {
  readonly isTls: boolean;
  /** Name or address, without the brackets of IPv6. */
  readonly hostname: string;
  readonly port: number;
}

/** Probes of idle connections, so that one whose path is gone does not wait for the next request to show it. */
const TCP_KEEP_ALIVE_MS = 60_000;

export function endpointOf(origin: string): Endpoint {
  const url = new URL(origin);
  const isTls = url.protocol === 'https:';
  const port = url.port === '' ? (isTls ? 443 : 80) : Number(url.port);
  return { isTls, hostname: url.hostname.replace(/^\[(.*)\]$/, '$1'), port };
}

/**
 * Starts to connect: IPv4 and IPv6 addresses in turn, certificates checked against Node's default authorities (`NODE_EXTRA_CA_CERTS` and
 * `--use-system-ca` work). The event that says that it can be used is `connect`, or `secureConnect` with TLS.
 * @param session of an earlier TLS connection to the same endpoint: resuming it saves a round trip and the certificates
 */
export function openSocket(endpoint: Endpoint, onread: OnReadOpts, session: Buffer | null): Socket {
  const { isTls, hostname: host, port } = endpoint;
  const address = { host, port, autoSelectFamily: true, onread };
  const socket = isTls
    ? connectTls({
        ...address,
        // Server names are names: RFC 6066 §3 leaves addresses out.
        servername: isIP(host) === 0 ? host : '',
        ALPNProtocols: ['http/1.1'],
        ...(session === null ? {} : { session }),
      })
    : connectTcp(address);
  socket.setNoDelay(true);
  socket.setKeepAlive(true, TCP_KEEP_ALIVE_MS);
  return socket;
}
