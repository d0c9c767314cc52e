import { closeSync, fsyncSync, openSync, readdirSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Session } from 'chdb';

interface PartName {
  readonly partition: string;
  readonly minBlock: number;
  readonly maxBlock: number;
  readonly level: number;
}

/** `202611_3_7_2` or, after a mutation, `202611_3_7_2_9`; null for directories that are not parts. */
export function parsePartName(name: string): PartName | null {
  const match = /^([0-9A-Za-z-]+)_(\d+)_(\d+)_(\d+)(?:_\d+)?$/.exec(name);
  if (!match) return null;
  const [, partition = '', minBlock, maxBlock, level] = match;
  return { partition, minBlock: Number(minBlock), maxBlock: Number(maxBlock), level: Number(level) };
}

function covers(part: PartName, other: PartName): boolean {
  return (
    part.partition === other.partition && part.minBlock <= other.minBlock && part.maxBlock >= other.maxBlock && part.level >= other.level
  );
}

/**
 * Takes the entries out of a deduplication log that name parts which do not exist.
 * @param log   lines `1 <TAB> part <TAB> block id` (added) or `2 …` (dropped)
 * @param parts names of the directories of the table
 * @returns null when nothing is to be changed
 */
export function withoutLostParts(log: string, parts: readonly string[]): string | null {
  const present = parts.map(parsePartName).filter((part) => part !== null);
  const lines = log.split('\n');
  const kept = lines.filter((line) => {
    const [operation, name = ''] = line.split('\t');
    const part = operation === '1' ? parsePartName(name) : null;
    return part === null || present.some((candidate) => covers(candidate, part));
  });
  return kept.length === lines.length ? null : kept.join('\n');
}

/**
 * Makes deduplication tokens true after a crash. A plain MergeTree writes an insert's token to its log before it commits the part; killed in
 * between, it remembers a token whose rows it does not have, and would drop the replay of that batch without an error. Run at every start,
 * before the first insert; tables are detached only when there is something to repair.
 * @returns tokens forgotten, by table
 * @see https://github.com/ClickHouse/ClickHouse/pull/110429 (the order is confirmed there, and unchanged)
 */
export async function repairDeduplication(session: Session): Promise<Record<string, number>> {
  const answer = await session.queryAsync(
    "SELECT database, name, data_paths FROM system.tables WHERE engine LIKE '%MergeTree' AND engine NOT LIKE 'Replicated%' AND database != 'system'",
    { format: 'JSONEachRow' },
  );
  const repaired: Record<string, number> = {};
  for (const line of answer.text().split('\n')) {
    if (line === '') continue;
    const table = JSON.parse(line) as { database: string; name: string; data_paths: string[] }; // the three columns selected above
    const broken = table.data_paths.flatMap(brokenLogs);
    if (broken.length === 0) continue;
    const name = `${quoteName(table.database)}.${quoteName(table.name)}`;
    await session.queryAsync(`DETACH TABLE ${name} SYNC`);
    try {
      for (const { path, text } of broken) replaceFile(path, text);
    } finally {
      await session.queryAsync(`ATTACH TABLE ${name}`);
    }
    repaired[`${table.database}.${table.name}`] = broken.reduce((sum, { lost }) => sum + lost, 0);
  }
  return repaired;
}

function quoteName(name: string): string {
  return `\`${name.replace(/[\\`]/g, (character) => `\\${character}`)}\``;
}

function brokenLogs(tablePath: string): { path: string; text: string; lost: number }[] {
  const directory = join(tablePath, 'deduplication_logs');
  const entries = readdirSync(tablePath);
  if (!entries.includes('deduplication_logs')) return [];
  return readdirSync(directory)
    .filter((file) => /^deduplication_log_\d+\.txt$/.test(file))
    .flatMap((file) => {
      const path = join(directory, file);
      const before = readFileSync(path, 'utf8');
      const text = withoutLostParts(before, entries);
      return text === null ? [] : [{ path, text, lost: before.split('\n').length - text.split('\n').length }];
    });
}

function replaceFile(path: string, text: string): void {
  const temporary = `${path}.repair`;
  const file = openSync(temporary, 'w', 0o640);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
}
