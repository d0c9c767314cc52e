/** A ClickHouse exception: what the façade answers with, in the server's own form. */
export class EngineException extends Error {
  /** ClickHouse error code, e.g. 241 MEMORY_LIMIT_EXCEEDED. */
  readonly exceptionCode: number;
  readonly exceptionName: string;
  constructor(exceptionCode: number, exceptionName: string, message: string) {
    super(`Code: ${exceptionCode}. DB::Exception: ${message.replace(/\.?$/, '.')} (${exceptionName})`);
    this.name = 'EngineException';
    this.exceptionCode = exceptionCode;
    this.exceptionName = exceptionName;
  }
}

const STATUS: Readonly<Record<number, number>> = {
  36: 400,
  47: 404,
  48: 501,
  60: 404,
  62: 400,
  81: 404,
  159: 408,
  202: 503,
  210: 503,
  307: 413,
  456: 400,
  516: 401,
};

export interface ExceptionAnswer {
  readonly code: number;
  readonly status: number;
  /** Text with the `Code: n. DB::Exception:` prefix that clients parse. */
  readonly text: string;
}

/** Turns anything thrown by chDB or by the façade into a server's answer. Unknown errors become code 1001 (STD_EXCEPTION). */
export function toExceptionAnswer(thrown: unknown): ExceptionAnswer {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const found = /Code:\s*(\d+)\./.exec(message);
  if (!found) return { code: 1001, status: 500, text: `Code: 1001. DB::Exception: ${message.slice(0, 2000)} (STD_EXCEPTION)` };
  const code = Number(found[1]);
  const text = message.slice(message.indexOf('Code:'));
  return { code, status: STATUS[code] ?? 500, text: /\([A-Z_]+\)\s*$/.test(text) ? text : `${text} (UNKNOWN_EXCEPTION)` };
}

/**
 * The block that ends a stream whose status line is already sent.
 * @see https://github.com/ClickHouse/ClickHouse/pull/88818 (since server 25.11; the client reads it)
 */
export function exceptionTail(answer: ExceptionAnswer, tag: string): string {
  const message = `${answer.text}\n`;
  return `\r\n__exception__\r\n${tag}\r\n${message}${Buffer.byteLength(message)} ${tag}\r\n__exception__\r\n`;
}
