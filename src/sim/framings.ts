import { crc32 } from 'node:zlib';
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

/** Names of events that are errors end like this. */
const EXCEPTION = /Exception$/;
/** Type of a header whose value is text. */
const STRING_HEADER = 7;
/** Two lengths and their checksum before the headers. */
const PRELUDE_BYTES = 12;

function headerBytes(name: string, value: string): Buffer {
  const bytes = Buffer.alloc(name.length + value.length + 4);
  bytes.writeUInt8(name.length, 0);
  bytes.write(name, 1, 'latin1');
  bytes.writeUInt8(STRING_HEADER, name.length + 1);
  bytes.writeUInt16BE(value.length, name.length + 2);
  bytes.write(value, name.length + 4, 'latin1');
  return bytes;
}

/** @see https://smithy.io/2.0/aws/amazon-eventstream.html */
function messageOf({ event, data }: WireEvent): Buffer {
  const name = event ?? 'chunk';
  const isException = EXCEPTION.test(name);
  const headers = Buffer.concat([
    headerBytes(isException ? ':exception-type' : ':event-type', name),
    headerBytes(':content-type', 'application/json'),
    headerBytes(':message-type', isException ? 'exception' : 'event'),
  ]);
  const body = Buffer.from(data);
  const message = Buffer.alloc(PRELUDE_BYTES + headers.length + body.length + 4);
  message.writeUInt32BE(message.length, 0);
  message.writeUInt32BE(headers.length, 4);
  message.writeUInt32BE(crc32(message.subarray(0, 8)), 8);
  headers.copy(message, PRELUDE_BYTES);
  body.copy(message, PRELUDE_BYTES + headers.length);
  message.writeUInt32BE(crc32(message.subarray(0, message.length - 4)), message.length - 4);
  return message;
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
