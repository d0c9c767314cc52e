import { crc32 } from 'node:zlib';
import type { ToolCall } from '../scorer.ts';

/** What one assertion said: `passed` null = nothing was demanded, or it could not be told. */
export interface AssertionResult {
  readonly type: string;
  readonly metric?: string;
  readonly passed: boolean | null;
  /** Null = unmeasured or failed. */
  readonly value: number | null;
  /** Left out of what passed, to keep rows small. */
  readonly reason?: string;
  /** Weight 0: it measures, and cannot fail a case. */
  readonly isInformational?: true;
  /** Only when it is not `measured`. */
  readonly state?: 'unmeasured' | 'failed';
}

export type RowState = 'passed' | 'failed' | 'unmeasured' | 'error';

/** One answer to one case, as it is kept: a line of `results.jsonl`. Members that say nothing are left out. */
export interface ResultRow {
  /** Number of the item in the run's matrix, from 0. */
  readonly n: number;
  readonly case: string;
  /** Index into the run's prompts, targets and repeats. */
  readonly prompt: number;
  readonly target: number;
  readonly repeat: number;
  readonly state: RowState;
  /** Weighted mean of the assertions' values that were measured. */
  readonly score: number | null;
  readonly output: string | null;
  readonly toolCalls?: readonly ToolCall[];
  readonly assertions: readonly AssertionResult[];
  /** Means of the named metrics; null = not measured. */
  readonly metrics?: Readonly<Record<string, number | null>>;
  readonly slices?: Readonly<Record<string, string>>;
  readonly cluster?: string;
  readonly description?: string;
  readonly latencyMs: number | null;
  /** Pico-dollars as text; null = unpriced, or nothing was answered. */
  readonly costPicoUsd: string | null;
  readonly judgeCostPicoUsd?: string;
  readonly inputTokens?: number;
  readonly outputTokens?: number;
  readonly traceId?: string;
  readonly model?: string;
  /** The answer was paid for before: the gateway gave it again. */
  readonly isReplayed?: boolean;
  readonly isCached?: boolean;
  readonly attempts?: number;
  readonly error?: { readonly code: string; readonly message: string };
}

/** A line of JSON whose last member is the checksum of the text before it. */
export function rowLine(row: ResultRow): string {
  const text = JSON.stringify(row).slice(0, -1);
  return `${text},"crc32":"${crc32(text).toString(16).padStart(8, '0')}"}\n`;
}

/** @returns null for a line that is torn or changed */
export function parseRow(line: string): ResultRow | null {
  const found = /^([\s\S]*),"crc32":"([0-9a-f]{8})"\}$/.exec(line);
  if (
    found === null ||
    crc32(found[1] ?? '')
      .toString(16)
      .padStart(8, '0') !== found[2]
  )
    return null;
  return JSON.parse(`${found[1]}}`) as ResultRow; // written by rowLine: the checksum says so
}
