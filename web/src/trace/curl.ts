import type { Span, TraceSummary } from '../../../src/traces/model.ts';
import { deletionText } from './deletion-text.ts';

export type Curl = { readonly kind: 'command'; readonly text: string } | { readonly kind: 'unavailable'; readonly reason: string };

/** The call again, as a command for a POSIX shell; the key stays a variable. */
export function curlOf(
  trace: Pick<TraceSummary, 'feature' | 'user' | 'session'>,
  entry: (Pick<Span, 'input' | 'isTruncated' | 'attributes'> & Partial<Pick<Span, 'textsDeleted'>>) | null,
  origin: string,
): Curl {
  if (entry === null) return { kind: 'unavailable', reason: 'No call of the gateway is in this trace.' };
  if (entry.textsDeleted) return { kind: 'unavailable', reason: `The request body was ${deletionText(entry.textsDeleted)}.` };
  if (entry.input === null || entry.input === '') return { kind: 'unavailable', reason: 'The request body was not recorded.' };
  const body = compactJson(entry.input);
  if (body === null) {
    const reason = entry.isTruncated ? 'The recorded body was cut at the size limit.' : 'Only a preview of the request was recorded.';
    return { kind: 'unavailable', reason };
  }
  const headers = [
    ['authorization', 'Bearer $PLIMSOLL_KEY'],
    ['content-type', 'application/json'],
    ['x-plimsoll-feature', trace.feature],
    ['x-plimsoll-user', trace.user],
    ['x-plimsoll-session', trace.session],
  ] as const;
  const lines = headers.flatMap(([name, value]) =>
    value === null || value === '' ? [] : [`-H ${name === 'authorization' ? `"${name}: ${value}"` : quote(`${name}: ${value}`)}`],
  );
  return {
    kind: 'command',
    text: [`curl -sS ${quote(`${origin}${pathOf(entry.attributes['url.path'])}`)}`, ...lines, `-d ${quote(body)}`].join(' \\\n  '),
  };
}

/** Gemini's streams are events only when asked for. */
function pathOf(recorded: unknown): string {
  const path = typeof recorded === 'string' && recorded.startsWith('/v1') ? recorded : '/v1/chat/completions';
  return path.endsWith(':streamGenerateContent') ? `${path}?alt=sse` : path;
}

function compactJson(text: string): string | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? JSON.stringify(value) : null;
  } catch {
    return null;
  }
}

/** One word for a POSIX shell, whatever it holds. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
