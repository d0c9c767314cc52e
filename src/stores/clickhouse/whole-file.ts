import { Transform } from 'node:stream';
import { PlimsollError } from '../../kernel/errors.ts';

/**
 * Passes a server's file on, and fails at its end when the server wrote there that its query was cut off: the status line was sent long before.
 * @param tag of the answer's `x-clickhouse-exception-tag`; null = a server that does not say
 * @see https://github.com/ClickHouse/ClickHouse/pull/88818
 */
export function wholeFile(tag: string | null): Transform {
  const marker = tag === null ? null : Buffer.from(` ${tag}\r\n__exception__\r\n`);
  const keep = marker?.length ?? 0;
  let tail: Buffer = Buffer.alloc(0);
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const all = tail.length === 0 ? chunk : Buffer.concat([tail, chunk]);
      const cut = Math.max(0, all.length - keep);
      tail = all.subarray(cut);
      done(null, all.subarray(0, cut));
    },
    flush(done) {
      if (marker !== null && tail.equals(marker))
        done(new PlimsollError('query_too_expensive', 'The trace store stopped in the middle of the file; what came of it is not all.'));
      else done(null, tail);
    },
  });
}
