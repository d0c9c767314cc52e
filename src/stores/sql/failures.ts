import { PlimsollError } from '../../kernel/errors.ts';

const SQLITE_UNIQUE = new Set([1555, 2067, 2579]);
const SQLITE_UNUSABLE_FILE = new Set([8, 14]);
/** BUSY, LOCKED, IOERR, CORRUPT, FULL, PROTOCOL, NOTADB. */
const SQLITE_UNAVAILABLE = new Set([5, 6, 10, 11, 13, 15, 26]);

/** Connection (08), resources (53), operator intervention (57), serialisation and deadlock (40): the same call may succeed later. */
const POSTGRES_UNAVAILABLE = /^(08|53|57|40)/;
/** Without a code: how `pg` and its pool report a connection that is lost or cannot be had. */
const POSTGRES_LOST =
  /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|not queryable/;
const NETWORK = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EPIPE',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
  'EACCES',
]);

function property(thrown: object, name: string): unknown {
  return name in thrown ? Reflect.get(thrown, name) : undefined;
}

/** What a database threw, in our words. What is not a condition of the database passes unchanged. */
export function storeFailure(thrown: unknown, place: string): unknown {
  if (thrown instanceof PlimsollError || !(thrown instanceof Error)) return thrown;
  const code = property(thrown, 'code');
  const text = thrown.message || String(code);
  const unavailable = () =>
    new PlimsollError('store_unavailable', `The control store (${place}) cannot be used now: ${text}`, { cause: thrown });
  const conflict = () => new PlimsollError('conflict', 'An entry with this id or secret exists already.', { cause: thrown });
  if (code === 'ERR_SQLITE_ERROR') {
    const extended = Number(property(thrown, 'errcode'));
    if (SQLITE_UNIQUE.has(extended)) return conflict();
    const primary = extended & 0xff;
    if (SQLITE_UNUSABLE_FILE.has(primary)) {
      return new PlimsollError('data_dir_unusable', `The control store ${place} cannot be opened for writing: ${text}`, {
        cause: thrown,
        details: { path: place },
      });
    }
    return SQLITE_UNAVAILABLE.has(primary) ? unavailable() : thrown;
  }
  if (code === '23505') return conflict();
  if (typeof code === 'string' && (NETWORK.has(code) || (code.length === 5 && POSTGRES_UNAVAILABLE.test(code)))) return unavailable();
  return POSTGRES_LOST.test(thrown.message) ? unavailable() : thrown;
}
