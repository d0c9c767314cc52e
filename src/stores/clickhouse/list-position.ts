import { PlimsollError } from '../../kernel/errors.ts';

/** A place in the list: (start, trace, span) of an entry span, falling. */
export interface Position {
  readonly startedAtNs: string;
  readonly traceId: string;
  readonly spanId: string;
}

export function positionOf(row: { readonly started_at_ns: string; readonly trace_id: string; readonly span_id: string }): Position {
  return { startedAtNs: row.started_at_ns, traceId: row.trace_id, spanId: row.span_id };
}

/** Whether `a` stands in the list before `b`, or where it does. */
export function isNotBehind(a: Position, b: Position): boolean {
  const [left, right] = [BigInt(a.startedAtNs), BigInt(b.startedAtNs)];
  if (left !== right) return left > right;
  return a.traceId === b.traceId ? a.spanId >= b.spanId : a.traceId > b.traceId;
}

export function encodeCursor(position: Position): string {
  return Buffer.from(`${position.startedAtNs}.${position.traceId}.${position.spanId}`).toString('base64url');
}

/** @throws PlimsollError `invalid_argument` */
export function decodeCursor(cursor: string): Position {
  const match = /^(\d{1,19})\.([0-9a-f]{32})\.([0-9a-f]{16})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1'));
  if (!match)
    throw new PlimsollError('invalid_argument', 'The cursor is not one that this API gave out.', { details: { param: 'cursor' } });
  const [, startedAtNs = '', traceId = '', spanId = ''] = match;
  return { startedAtNs, traceId, spanId };
}
