import { EventStreamCodec } from '@smithy/eventstream-codec';
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

/** One JSON array that arrives item by item (Gemini without `alt=sse`). */
export const JSON_ARRAY: Framing = {
  contentType: 'application/json; charset=utf-8',
  frame: ({ data }, isFirst) => (isFirst ? `[${data}` : `\n,\r\n${data}`),
  frameBroken: ({ data }, isFirst) => (isFirst ? `[${data}` : `\r\n${data}`),
  end: '\n]',
};

const codec = new EventStreamCodec(
  (bytes) => Buffer.from(bytes).toString('utf8'),
  (text) => Buffer.from(text, 'utf8'),
);
/** Names of events that are errors end like this. */
const EXCEPTION = /Exception$/;

function messageOf({ event, data }: WireEvent): Buffer {
  const name = event ?? 'chunk';
  const isException = EXCEPTION.test(name);
  const text = (value: string): { type: 'string'; value: string } => ({ type: 'string', value });
  return Buffer.from(
    codec.encode({
      headers: {
        [isException ? ':exception-type' : ':event-type']: text(name),
        ':content-type': text('application/json'),
        ':message-type': text(isException ? 'exception' : 'event'),
      },
      body: Buffer.from(data),
    }),
  );
}

/** Amazon's binary frames (Bedrock): lengths, headers and checksums around JSON. */
export const AWS_EVENT_STREAM: Framing = {
  contentType: 'application/vnd.amazon.eventstream',
  frame: messageOf,
  frameBroken(event) {
    const bytes = messageOf(event);
    // The last four bytes are the checksum of the message.
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 0xff;
    return bytes;
  },
  end: '',
};
