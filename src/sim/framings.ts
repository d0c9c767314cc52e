import type { Framing, WireEvent } from './wire.ts';

function linesOf({ event, data }: WireEvent): string {
  return event === null ? `data: ${data}\n` : `event: ${event}\ndata: ${data}\n`;
}

/** Server-sent events. */
export const SSE: Framing = {
  contentType: 'text/event-stream; charset=utf-8',
  frame: (event) => `${linesOf(event)}\n`,
  // Without the empty line this event and the next run into one.
  frameBroken: (event) => linesOf(event),
  end: '',
};
