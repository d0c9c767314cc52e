import { PlimsollError } from '../../kernel/errors.ts';

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const PATH = /^\/[\x21-\x7e]*$/;

/** The connection and the length of the body are ours to say. */
const OURS = new Set([
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/**
 * Header lines from a flat name, value list.
 * @throws PlimsollError `config_invalid` for what could end a line or change the framing; the message never holds a value: it may be a secret
 */
export function headerLines(headers: readonly string[]): string {
  let lines = '';
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] ?? '';
    const value = headers[index + 1] ?? '';
    if (!TOKEN.test(name)) throw invalid(`"${name}" cannot be the name of a header.`);
    if (OURS.has(name.toLowerCase())) throw invalid(`The header "${name}" is set by the gateway and cannot be configured.`);
    if (!FIELD_VALUE.test(value)) throw invalid(`The value of the header "${name}" has a character that no header may hold (a line end?).`);
    lines += `${name}: ${value}\r\n`;
  }
  return lines;
}

function invalid(message: string): PlimsollError {
  return new PlimsollError('config_invalid', message);
}

/** Paths kept per header list; an endpoint has a handful, unless ids stand in them. */
const MAX_PATHS = 1000;

/** Heads of POST requests to one host, without the blank line: made once per header list and path, then looked up by identity. */
export class RequestHeads {
  readonly #host: string;
  readonly #byHeaders = new WeakMap<readonly string[], Map<string, string>>();

  /** @param host with the port where it is not the default */
  constructor(host: string) {
    this.#host = host;
  }

  /**
   * @param headers flat name, value list; must not change afterwards
   * @returns latin1 text
   * @throws PlimsollError `config_invalid`
   */
  post(path: string, headers: readonly string[]): string {
    let byPath = this.#byHeaders.get(headers);
    if (byPath === undefined) {
      byPath = new Map();
      this.#byHeaders.set(headers, byPath);
    }
    let head = byPath.get(path);
    if (head === undefined) {
      if (byPath.size >= MAX_PATHS) byPath.clear();
      head = this.#make(path, headers);
      byPath.set(path, head);
    }
    return head;
  }

  #make(path: string, headers: readonly string[]): string {
    if (!PATH.test(path)) throw invalid(`"${path}" cannot be the path of a request.`);
    const hasHost = headers.some((name, index) => index % 2 === 0 && name.toLowerCase() === 'host');
    const host = hasHost ? '' : `host: ${this.#host}\r\n`;
    return `POST ${path} HTTP/1.1\r\n${host}connection: keep-alive\r\n${headerLines(headers)}`;
  }
}
