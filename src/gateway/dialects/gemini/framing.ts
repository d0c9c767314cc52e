import type { PlimsollError } from '../../../kernel/errors.ts';
import type { StreamReframer } from '../../client-dialect.ts';
import { geminiErrorBody } from './errors.ts';

/** How the objects of a stream are written: as events, or as the elements of one JSON array. */
export interface Framing {
  element(json: string): string;
  end(): string;
}

/** Google ends lines of events with CRLF. */
export const EVENTS: Framing = { element: (json) => `data: ${json}\r\n\r\n`, end: () => '' };

/** One JSON array: what clients get that do not ask for `alt=sse`. */
export class ArrayFraming implements Framing {
  #isFirst = true;

  element(json: string): string {
    const text = `${this.#isFirst ? '[' : ',\r\n'}${json}`;
    this.#isFirst = false;
    return text;
  }

  end(): string {
    return this.#isFirst ? '[]' : ']';
  }
}

/** A stream that broke off: its last element is the error; the array stays open, so that no parser takes it for whole. */
export function failure(framing: Framing, error: PlimsollError): string {
  return framing.element(JSON.stringify(geminiErrorBody(error, null)));
}

/** A forwarded stream for a client that wants an array. */
export class ArrayReframer implements StreamReframer {
  readonly #framing = new ArrayFraming();

  onData(data: string): string {
    return this.#framing.element(data);
  }

  end(): string {
    return this.#framing.end();
  }

  fail(error: PlimsollError): string {
    return failure(this.#framing, error);
  }
}
