import type { ServerResponse } from 'node:http';
import type { Clock } from '../kernel/clock.ts';
import { type Fault, findFault } from './faults.ts';
import type { Framing, WireEvent } from './wire.ts';

/** One answer on its way. */
export interface Delivery {
  readonly response: ServerResponse;
  readonly clock: Clock;
  /** `clock.monotonicMs()` when the request arrived. */
  readonly arrivedMs: number;
  readonly latencyFactor: number;
  readonly faults: readonly Fault[];
}

/** How an answer ended: whole; broken by the provider; left by the client; or never begun because of a fault. */
export interface DeliveryEnd {
  readonly ending: 'complete' | 'cut' | 'client_left' | 'failed';
  /** The last event that was sent; null = none. Bodies have no events. */
  readonly lastEvent: WireEvent | null;
}

export type ResponseHeaders = Readonly<Record<string, string>>;

const COMPLETE: DeliveryEnd = { ending: 'complete', lastEvent: null };
const CUT: DeliveryEnd = { ending: 'cut', lastEvent: null };
const CLIENT_LEFT: DeliveryEnd = { ending: 'client_left', lastEvent: null };
const FAILED: DeliveryEnd = { ending: 'failed', lastEvent: null };

function isOpen({ response }: Delivery): boolean {
  return !response.destroyed && !response.writableEnded;
}

/** Waits until `offsetMs` (already scaled) after the arrival. @returns false when the client has left */
function waitUntil(delivery: Delivery, offsetMs: number): Promise<boolean> {
  const { clock, response } = delivery;
  const remainingMs = delivery.arrivedMs + offsetMs - clock.monotonicMs();
  // Below half a millisecond a timer costs more than it says.
  if (remainingMs < 0.5 || !isOpen(delivery)) return Promise.resolve(isOpen(delivery));
  return new Promise((resolve) => {
    const finish = (): void => {
      timer.cancel();
      response.off('close', finish);
      resolve(isOpen(delivery));
    };
    const timer = clock.setTimer(remainingMs, finish);
    response.once('close', finish);
  });
}

function drained(delivery: Delivery): Promise<boolean> {
  const { response } = delivery;
  return new Promise((resolve) => {
    const finish = (): void => {
      response.off('drain', finish);
      response.off('close', finish);
      resolve(isOpen(delivery));
    };
    response.once('drain', finish);
    response.once('close', finish);
  });
}

/** Stays silent until the client gives up or the server closes. */
function stall(delivery: Delivery): Promise<void> {
  return new Promise((resolve) => void (isOpen(delivery) ? delivery.response.once('close', resolve) : resolve()));
}

/** Planned offset of the first byte with the faults and the scale applied, milliseconds. */
function firstByteMs(delivery: Delivery, plannedMs: number): number {
  return plannedMs * delivery.latencyFactor + (findFault(delivery.faults, 'slow_first_byte')?.value ?? 0);
}

function flushThenDestroy(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const { socket } = response;
    if (socket === null || response.destroyed) return resolve();
    socket.write('', () => {
      socket.destroy();
      resolve();
    });
  });
}

/** Longest value of one padding header: several make up a huge head. */
const PADDING_BYTES = 4_096;

function alteredHeaders(headers: ResponseHeaders, contentType: string, faults: readonly Fault[]): Record<string, string> {
  const altered: Record<string, string> = {
    ...headers,
    'content-type': findFault(faults, 'wrong_content_type') ? 'text/html; charset=utf-8' : contentType,
  };
  const padding = findFault(faults, 'huge_headers')?.value ?? 0;
  for (let at = 0; at * PADDING_BYTES < padding; at++)
    altered[`x-sim-padding-${at}`] = 'x'.repeat(Math.min(PADDING_BYTES, padding - at * PADDING_BYTES));
  return altered;
}

const PAGE =
  '<!doctype html><html><head><title>Bad gateway</title></head><body><h1>Upstream maintenance</h1><p>Please try again later.</p></body></html>';

/** Faults that replace an answer, whatever it would have been. @returns null when none applies */
async function deliverInstead(
  delivery: Delivery,
  headers: ResponseHeaders,
  contentType: string,
  plannedMs: number,
): Promise<DeliveryEnd | null> {
  const { response, faults } = delivery;
  if (faults.length === 0) return null;
  if (findFault(faults, 'connection_reset')) {
    response.socket?.resetAndDestroy();
    return FAILED;
  }
  if (findFault(faults, 'timeout')) {
    await stall(delivery);
    return FAILED;
  }
  const page = findFault(faults, 'html_page');
  const isEmpty = findFault(faults, 'empty') !== null;
  const hangs = findFault(faults, 'headers_then_hang') !== null;
  if (page === null && !isEmpty && !hangs) return null;
  if (!(await waitUntil(delivery, firstByteMs(delivery, plannedMs)))) return FAILED;
  if (page !== null)
    response
      .writeHead(page.value ?? 502, { ...headers, 'content-type': 'text/html; charset=utf-8', 'content-length': Buffer.byteLength(PAGE) })
      .end(PAGE);
  else if (hangs) {
    response.writeHead(200, alteredHeaders(headers, contentType, faults)).flushHeaders();
    await stall(delivery);
  } else response.writeHead(200, alteredHeaders(headers, contentType, faults)).end();
  return FAILED;
}

/** How a body arrives that the fault `slow_chunks` slows. */
const DRIP_PIECES = 8;

/** Sends one whole body at its time, with the faults that apply to bodies. */
export async function deliverBody(
  delivery: Delivery,
  status: number,
  headers: ResponseHeaders,
  contentType: string,
  body: string | Buffer,
  plannedMs: number,
): Promise<DeliveryEnd> {
  const instead = await deliverInstead(delivery, headers, contentType, plannedMs);
  if (instead !== null) return instead;
  const { response, faults } = delivery;
  if (!(await waitUntil(delivery, firstByteMs(delivery, plannedMs)))) return CLIENT_LEFT;
  if (faults.length === 0) {
    response.writeHead(status, { ...headers, 'content-type': contentType, 'content-length': Buffer.byteLength(body) }).end(body);
    return COMPLETE;
  }
  const whole = typeof body === 'string' ? Buffer.from(body) : body;
  const bytes = findFault(faults, 'malformed_json') ? whole.subarray(0, Math.floor(whole.length * 0.7)) : whole;
  response.writeHead(status, { ...alteredHeaders(headers, contentType, faults), 'content-length': bytes.length });
  const isCut = findFault(faults, 'cut_after') !== null;
  if (isCut || findFault(faults, 'stall_after')) {
    // The head promises more bytes than will come.
    response.write(bytes.subarray(0, Math.floor(bytes.length / 2)));
    await (isCut ? flushThenDestroy(response) : stall(delivery));
    return CUT;
  }
  const dripMs = findFault(faults, 'slow_chunks')?.value ?? null;
  if (dripMs !== null) {
    const size = Math.max(1, Math.ceil(bytes.length / DRIP_PIECES));
    for (let at = 0; at < bytes.length; at += size) {
      response.write(bytes.subarray(at, at + size));
      if (!(await waitUntil(delivery, delivery.clock.monotonicMs() - delivery.arrivedMs + dripMs))) return COMPLETE; // it was generated whole
    }
    response.end();
  } else response.end(bytes);
  return COMPLETE;
}

/** Sends a stream of events at their times, with the faults that apply to streams. */
export async function deliverEvents(
  delivery: Delivery,
  headers: ResponseHeaders,
  framing: Framing,
  events: readonly WireEvent[],
): Promise<DeliveryEnd> {
  const { response, faults, latencyFactor } = delivery;
  const first = events[0]?.offsetMs ?? 0;
  const instead = await deliverInstead(delivery, headers, framing.contentType, first);
  if (instead !== null) return instead;
  const firstMs = firstByteMs(delivery, first);
  if (!(await waitUntil(delivery, firstMs))) return CLIENT_LEFT;
  response.writeHead(200, { ...alteredHeaders(headers, framing.contentType, faults), 'cache-control': 'no-cache' });
  const cutAfter = findFault(faults, 'cut_after')?.value ?? null;
  const stallAfter = findFault(faults, 'stall_after')?.value ?? null;
  const broken = findFault(faults, 'malformed_sse') === null ? null : Math.min(2, events.length - 2);
  const slowMs = findFault(faults, 'slow_chunks')?.value ?? null;
  if (cutAfter === 0 || stallAfter === 0) response.flushHeaders();
  let slowedMs = 0;
  let previousMs = first;
  let lastEvent: WireEvent | null = null;
  for (const [position, event] of events.entries()) {
    if (position === cutAfter || position === stallAfter) {
      await (position === cutAfter ? flushThenDestroy(response) : stall(delivery));
      return lastEvent === null ? FAILED : { ending: 'cut', lastEvent };
    }
    // Only events that have a gap of their own are slowed: framing events come with their neighbours.
    if (slowMs !== null && event.offsetMs > previousMs) slowedMs += slowMs;
    previousMs = event.offsetMs;
    const offsetMs = slowMs === null ? firstMs + (event.offsetMs - first) * latencyFactor : firstMs + slowedMs;
    if (!(await waitUntil(delivery, offsetMs))) return { ending: 'client_left', lastEvent };
    lastEvent = event;
    const isWritten = response.write(
      position === broken ? framing.frameBroken(event, position === 0) : framing.frame(event, position === 0),
    );
    if (!isWritten && !(await drained(delivery))) return { ending: 'client_left', lastEvent };
  }
  response.end(framing.end === '' ? undefined : framing.end);
  return { ending: 'complete', lastEvent };
}
