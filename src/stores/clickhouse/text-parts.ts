import { hash } from 'node:crypto';
import type { Scope } from '../../kernel/scope.ts';
import type { SpanIoRow } from '../../traces/store.ts';
import { cutText, joinText } from '../../traces/text-parts.ts';
import type { ClickHouseConnection } from './client.ts';
import { SCOPE_FILTER, scopeParameters } from './entries.ts';

export interface TextPart {
  readonly organisationId: string;
  readonly environment: string;
  readonly feature: string;
  readonly group: string;
  readonly hash: string;
  readonly startedAtMs: number;
  readonly text: string;
}

/** A row of span_io whose long parts stand elsewhere. */
export interface FramedIo extends SpanIoRow {
  readonly textGroup: string;
  readonly inputParts: readonly string[];
  readonly outputParts: readonly string[];
}

/** sha-256, its first 132 bits: nobody finds two texts of one hash. */
function hashOf(text: string): string {
  return hash('sha256', text, 'base64url').slice(0, 22);
}

/** Texts of a conversation lie side by side: it is read as a whole, and its parts are alike. Those of two features are kept apart: each has its own end. */
function groupOf(head: string | null, row: SpanIoRow): string {
  const text = `${row.feature}\n${(head ?? row.traceId).slice(0, 4_096)}`;
  return BigInt(`0x${hash('sha256', text, 'hex').slice(0, 16)}`).toString();
}

const NS_PER_MS = 1_000_000n;
const DAY_MS = 86_400_000;
const MAX_KNOWN = 200_000;

/**
 * Parts that the store is known to have of the day: most of a conversation's next request. Only forgets; a part that is written twice is one row
 * in the end.
 */
export class KnownParts {
  #newer = new Set<string>();
  #older = new Set<string>();

  has(key: string): boolean {
    return this.#newer.has(key) || this.#older.has(key);
  }

  add(keys: Iterable<string>): void {
    for (const key of keys) this.#newer.add(key);
    if (this.#newer.size < MAX_KNOWN) return;
    this.#older = this.#newer;
    this.#newer = new Set();
  }
}

export interface FramedTexts {
  readonly io: readonly FramedIo[];
  /** Those that the store may not have yet. */
  readonly parts: readonly TextPart[];
  /** To be told to `KnownParts` once they are stored. */
  readonly keys: readonly string[];
}

/** Pure but for what is known: the frames are the same whenever they are made. */
export function frameTexts(rows: readonly SpanIoRow[], known: KnownParts): FramedTexts {
  const parts: TextPart[] = [];
  const fresh = new Set<string>();
  const io = rows.map((row): FramedIo => {
    const input = row.input === null ? null : cutText(row.input);
    const output = row.output === null ? null : cutText(row.output);
    const group = groupOf(input?.head ?? null, row);
    const startedAtMs = Number(row.startedAtNs / NS_PER_MS);
    const store = (text: string): string => {
      const hashed = hashOf(text);
      // A day, so that a text which is still in use is never older than a day.
      const key = `${row.organisationId}/${row.environment}/${Math.floor(startedAtMs / DAY_MS)}/${group}/${hashed}`;
      if (!fresh.has(key) && !known.has(key)) {
        fresh.add(key);
        const { organisationId, environment, feature } = row;
        parts.push({ organisationId, environment, feature, group, hash: hashed, startedAtMs, text });
      }
      return hashed;
    };
    return {
      ...row,
      input: input?.frame ?? null,
      output: output?.frame ?? null,
      textGroup: group,
      inputParts: input?.parts.map(store) ?? [],
      outputParts: output?.parts.map(store) ?? [],
    };
  });
  return { io, parts, keys: [...fresh] };
}

/** What stands in the place of a text that was deleted. */
const DELETED = '"[deleted]"';

interface StoredFrame {
  readonly input: string | null;
  readonly output: string | null;
  readonly text_group: string;
  readonly input_parts: readonly string[];
  readonly output_parts: readonly string[];
}

/** Parts that are asked for at one time: they stand in the address of the request. */
const PARTS_AT_ONCE = 1_000;

/** Puts the texts together, exactly as they came. @param fromMs,toMs when the spans began */
export async function readTexts<Row extends StoredFrame>(
  connection: ClickHouseConnection,
  scope: Scope,
  rows: readonly Row[],
  fromMs: number,
  toMs: number,
): Promise<Row[]> {
  const wanted = new Map<string, { readonly group: string; readonly hash: string }>();
  for (const row of rows)
    for (const part of [...row.input_parts, ...row.output_parts])
      wanted.set(`${row.text_group}/${part}`, { group: row.text_group, hash: part });
  const texts = new Map<string, string>();
  const parts = [...wanted.values()];
  for (let place = 0; place < parts.length; place += PARTS_AT_ONCE)
    for (const part of await readParts(connection, scope, parts.slice(place, place + PARTS_AT_ONCE), fromMs, toMs))
      texts.set(`${part.text_group}/${part.text_hash}`, part.text);
  return rows.map((row) => {
    const join = (frame: string | null, own: readonly string[]): string | null =>
      frame === null
        ? null
        : joinText(
            frame,
            own.map((part) => texts.get(`${row.text_group}/${part}`) ?? null),
            DELETED,
          );
    return { ...row, input: join(row.input, row.input_parts), output: join(row.output, row.output_parts) };
  });
}

function readParts(
  connection: ClickHouseConnection,
  scope: Scope,
  parts: readonly { readonly group: string; readonly hash: string }[],
  fromMs: number,
  toMs: number,
): Promise<{ readonly text_group: string; readonly text_hash: string; readonly text: string }[]> {
  return connection.read(
    `SELECT text_group, text_hash, text FROM text_parts
     WHERE ${SCOPE_FILTER} AND text_group IN {groups:Array(UInt64)} AND text_hash IN {hashes:Array(String)}
       AND toYYYYMM(fromUnixTimestamp64Milli(started_at_ms, 'UTC')) BETWEEN toYYYYMM(fromUnixTimestamp64Milli({fromMs:Int64}, 'UTC'))
         AND toYYYYMM(fromUnixTimestamp64Milli({toMs:Int64}, 'UTC'))
     LIMIT 1 BY text_group, text_hash`,
    {
      ...scopeParameters(scope),
      groups: [...new Set(parts.map(({ group }) => group))].map(BigInt),
      hashes: [...new Set(parts.map(({ hash: part }) => part))],
      fromMs,
      toMs,
    },
  );
}
