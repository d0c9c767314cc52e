import { crc32 } from 'node:zlib';
import { fixture } from '../../hub/testing.ts';
import type { StreamDecoder, StreamStep } from '../../provider.ts';
import { EventStreamScanner } from '../../streams/event-stream-scanner.ts';

/** A frame with text headers; a test holds it to what AWS's own codec writes. */
export function frame(headers: Readonly<Record<string, string>>, body: string): Buffer {
  const parts: Buffer[] = [];
  for (const [name, value] of Object.entries(headers)) {
    const text = Buffer.from(value);
    const lead = Buffer.from([name.length, ...Buffer.from(name), 7, text.length >> 8, text.length & 0xff]);
    parts.push(lead, text);
  }
  const head = Buffer.concat(parts);
  const payload = Buffer.from(body);
  const bytes = Buffer.alloc(12 + head.length + payload.length + 4);
  bytes.writeUInt32BE(bytes.length, 0);
  bytes.writeUInt32BE(head.length, 4);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, 8)), 8);
  head.copy(bytes, 12);
  payload.copy(bytes, 12 + head.length);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, -4)), bytes.length - 4);
  return bytes;
}

export function eventFrame(type: string, payload: unknown): Buffer {
  return frame(
    { ':event-type': type, ':content-type': 'application/json', ':message-type': 'event' },
    typeof payload === 'string' ? payload : JSON.stringify(payload),
  );
}

export function exceptionFrame(type: string, message: string): Buffer {
  return frame({ ':exception-type': type, ':content-type': 'application/json', ':message-type': 'exception' }, JSON.stringify({ message }));
}

/** Frames of a fixture, one a line: the type of the event, then its JSON. */
export function fixtureFrames(name: string): Buffer[] {
  return fixture('bedrock', `${name}.events`)
    .toString()
    .trim()
    .split('\n')
    .map((line) => eventFrame(line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)));
}

/** The steps of a stream that arrives in these pieces and then ends; null = it could not be followed. */
export function frameSteps(decoder: StreamDecoder, pieces: readonly Buffer[]): StreamStep[] | null {
  const found: StreamStep[] = [];
  const scanner = new EventStreamScanner(
    {
      onEvent(_raw, _start, _end, data, dataStart, dataEnd, name) {
        found.push(decoder.onEvent(name, data.toString('utf8', dataStart, dataEnd)));
        return true;
      },
      onComment() {},
    },
    1 << 20,
  );
  for (const piece of pieces) if (!scanner.push(Buffer.from(piece))) return null;
  scanner.end();
  found.push(decoder.end());
  return found;
}
