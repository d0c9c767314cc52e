import type { ServerResponse } from 'node:http';
import type { Clock } from '../kernel/clock.ts';
import { type Fault, findFault } from './faults.ts';
import type { WireEvent } from './wire.ts';

/** One answer on its way. `isOpen` turns false when the client leaves or the server closes. */
export interface Delivery {
  readonly response: ServerResponse;
  readonly clock: Clock;
  /** `clock.monotonicMs()` when the request arrived. */
  readonly arrivedMs: number;
  readonly latencyFactor: number;
  readonly faults: readonly Fault[];
}

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

/** Sends one whole body at its time, with the faults that apply to bodies. */
export async function deliverBody(
  delivery: Delivery,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: string,
  plannedMs: number,
): Promise<void> {
  const { response, faults } = delivery;
  if (!(await waitUntil(delivery, firstByteMs(delivery, plannedMs)))) return;
  if (findFault(faults, 'wrong_content_type')) {
    const page = '<!doctype html><html><head><title>Bad gateway</title></head><body><h1>Upstream maintenance</h1></body></html>';
    response
      .writeHead(status, { ...headers, 'content-type': 'text/html; charset=utf-8', 'content-length': Buffer.byteLength(page) })
      .end(page);
    return;
  }
  const text = findFault(faults, 'empty') ? '' : findFault(faults, 'malformed_json') ? body.slice(0, Math.floor(body.length * 0.7)) : body;
  response.writeHead(status, { ...headers, 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  if (!findFault(faults, 'cut_after') && !findFault(faults, 'stall_after')) {
    response.end(text);
    return;
  }
  // The head promises more bytes than will come.
  response.write(text.slice(0, Math.floor(text.length / 2)));
  if (findFault(faults, 'stall_after')) await stall(delivery);
  else await flushThenDestroy(response);
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

/** Sends a stream of events at their times, with the faults that apply to streams. */
export async function deliverEvents(
  delivery: Delivery,
  headers: Readonly<Record<string, string>>,
  events: readonly WireEvent[],
): Promise<void> {
  const { response, faults, latencyFactor } = delivery;
  const first = events[0]?.offsetMs ?? 0;
  const firstMs = firstByteMs(delivery, first);
  if (!(await waitUntil(delivery, firstMs))) return;
  const hasWrongType = findFault(faults, 'wrong_content_type') !== null;
  response.writeHead(200, {
    ...headers,
    'content-type': hasWrongType ? 'text/html; charset=utf-8' : 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
  });
  if (hasWrongType || findFault(faults, 'empty')) {
    response.end(hasWrongType ? '<!doctype html><title>Upstream maintenance</title>' : undefined);
    return;
  }
  const cutAfter = findFault(faults, 'cut_after')?.value ?? null;
  const stallAfter = findFault(faults, 'stall_after')?.value ?? null;
  const malformed = findFault(faults, 'malformed_json') === null ? null : Math.min(2, events.length - 1);
  const slowMs = findFault(faults, 'slow_chunks')?.value ?? null;
  if (cutAfter === 0 || stallAfter === 0) response.flushHeaders();
  let slowedMs = 0;
  let previousMs = first;
  for (const [position, event] of events.entries()) {
    if (position === cutAfter) return flushThenDestroy(response);
    if (position === stallAfter) return stall(delivery);
    // Only events that have a gap of their own are slowed: framing events come with their neighbours.
    if (slowMs !== null && event.offsetMs > previousMs) slowedMs += slowMs;
    previousMs = event.offsetMs;
    const offsetMs = slowMs === null ? firstMs + (event.offsetMs - first) * latencyFactor : firstMs + slowedMs;
    if (!(await waitUntil(delivery, offsetMs))) return;
    const data = position === malformed ? event.data.slice(0, Math.ceil(event.data.length / 2)) : event.data;
    const text = event.event === null ? `data: ${data}\n\n` : `event: ${event.event}\ndata: ${data}\n\n`;
    if (!response.write(text) && !(await drained(delivery))) return;
  }
  response.end();
}

/** Never answers: the connection stays open until the other side gives up. */
export function deliverNothing(delivery: Delivery): Promise<void> {
  return stall(delivery);
}

/** Resets the connection before the first byte (TCP RST). */
export function resetConnection(delivery: Delivery): void {
  const { socket } = delivery.response;
  if (socket === null) return;
  socket.resetAndDestroy();
}
