import { createHash } from 'node:crypto';
import { parseJsonText } from '../../kernel/parse-json.ts';
import { assertDepth } from '../../kernel/router-body.ts';
import { type AttributeValue, OTLP_LIMITS, type OtlpSpan } from '../otlp/span.ts';
import type { ScoreRow } from '../scores/store.ts';

/**
 * What one item of an SDK's own endpoints says of a run: its beginning, its end, or both. Attributes have the names under which the SDK's exporter
 * for OpenTelemetry writes the same, so that one dialect reads both. Plain JSON: it waits in the control store for its other half.
 */
export interface RunPart {
  /** 32 lower-case hex digits. */
  readonly traceId: string;
  /** 16 lower-case hex digits. */
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name?: string;
  /** Epoch nanoseconds in decimal. */
  readonly startedAtNs?: string;
  readonly endedAtNs?: string;
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  /** Project of the SDK: names the feature where it is called like one. */
  readonly project?: string;
  readonly scope: string;
  /** As the SDK tells of the error; empty = it failed, and that is all that is known. */
  readonly error?: string;
  readonly errorType?: string;
  readonly firstTokenAtNs?: string;
  /** True for a frame that has no end of its own (a trace of Langfuse): it spans what is told of it, and is done once nothing more is. */
  readonly isFrame?: boolean;
  /** True for what logs say of a span: its texts and nothing else. */
  readonly isLog?: boolean;
}

/** A judgement as an SDK tells of it, in the terms of our own API. */
export interface SdkScore {
  readonly id: string;
  readonly traceId?: string;
  readonly spanId?: string;
  readonly session?: string;
  readonly name: string;
  readonly value: unknown;
  readonly comment?: string;
  readonly source: 'human' | 'llm' | 'code';
  /** Epoch milliseconds; absent = when it came. */
  readonly at?: number;
}

/** One request read item by item: a bad one rejects itself alone. */
export interface SdkRequest {
  readonly parts: readonly RunPart[];
  readonly scores: readonly ScoreRow[];
  /** Items that are taken, by the id under which the SDK knows them. */
  readonly accepted: readonly string[];
  readonly rejected: readonly { readonly id: string; readonly reason: string }[];
}

export type Json = Readonly<Record<string, unknown>>;

export function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Items of one request, and parts of a multipart body. */
export const MAX_ITEMS = 20_000;
const MAX_DEPTH = 160;
const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** @throws TypeError, RangeError, SyntaxError or PlimsollError `invalid_argument` when the bytes are not JSON of a depth that may be parsed */
export function parseBody(bytes: Uint8Array): unknown {
  const text = UTF8.decode(bytes);
  assertDepth(text, MAX_DEPTH);
  return parseJsonText(text);
}

function digest(value: string, characters: number): string {
  return createHash('sha256').update(value).digest('hex').slice(0, characters);
}

/** Ids of OpenTelemetry stay as they are, UUIDs lose their dashes, anything else is hashed: people find a trace by the id that their SDK shows. */
export function traceIdOf(id: string): string {
  const hex = id.replaceAll('-', '').toLowerCase();
  return /^(?!0{32})[0-9a-f]{32}$/.test(hex) ? hex : digest(id, 32);
}

export function spanIdOf(id: string): string {
  const hex = id.toLowerCase();
  return /^(?!0{16})[0-9a-f]{16}$/.test(hex) ? hex : digest(id, 16);
}

/** Span of a frame that stands for the whole trace. */
export function frameSpanId(traceId: string): string {
  return digest(`frame ${traceId}`, 16);
}

const ISO = /^(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:[.,](\d{1,9})\d*)?(Z|[+-]\d\d:?\d\d)?$/;

/** ISO text to the nanosecond (UTC where it names no zone), or a number of milliseconds. @returns decimal nanoseconds, undefined when it is no moment */
export function nanosecondsOf(value: unknown): string | undefined {
  if (typeof value === 'number' && Number.isFinite(value) && value > 0 && value < 1e14)
    return (BigInt(Math.trunc(value)) * 1_000_000n + BigInt(Math.round((value % 1) * 1e6))).toString();
  const match = typeof value === 'string' ? ISO.exec(value.trim()) : null;
  if (match === null) return undefined;
  const [, seconds = '', fraction = '', zone = 'Z'] = match;
  const ms = Date.parse(`${seconds.replace(' ', 'T')}${zone}`);
  if (Number.isNaN(ms) || ms <= 0) return undefined;
  return (BigInt(ms) * 1_000_000n + BigInt(fraction.padEnd(9, '0'))).toString();
}

export function textOf(value: unknown, what: string): string {
  if (typeof value === 'string' && value !== '' && value.length <= 512) return value;
  throw new TypeError(`${what} is ${value === undefined ? 'missing' : 'no text of 1 to 512 characters'}`);
}

export function optionalText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The value as JSON text, as exporters write structures into attributes; texts stay as they are. */
export function asText(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Members that are there, without those that are not. */
export function present<T>(members: Readonly<Record<string, T | undefined | null>>): Record<string, T> {
  return Object.fromEntries(Object.entries(members).filter((entry): entry is [string, T] => entry[1] !== undefined && entry[1] !== null));
}

/** Members of an object under a prefix: scalars as they are, anything else as JSON text. */
export function prefixed(prefix: string, value: unknown): Record<string, AttributeValue> {
  if (!isJson(value)) return {};
  const entries = Object.entries(value).slice(0, OTLP_LIMITS.attributesPerSpan);
  return present(
    Object.fromEntries(
      entries
        .filter(([name]) => name.length <= OTLP_LIMITS.nameCharacters)
        .map(([name, each]) => [`${prefix}${name}`, typeof each === 'number' || typeof each === 'boolean' ? each : asText(each)]),
    ),
  );
}

/** Reasons of the choices of an answer in OpenAI's form. */
export function choiceReasons(output: unknown): unknown[] {
  const choices = isJson(output) ? output.choices : undefined;
  return Array.isArray(choices) ? choices.map((choice: unknown) => (isJson(choice) ? choice.finish_reason : undefined)) : [];
}

/** Reasons without what is none and without repetition; undefined = nobody said any. */
export function distinctReasons(told: readonly unknown[]): string[] | undefined {
  const reasons = told.filter((reason): reason is string => typeof reason === 'string' && reason !== '');
  return reasons.length === 0 ? undefined : [...new Set(reasons)];
}

/** @throws TypeError when a run that begins so far from its arrival cannot be stored; the caps are those of OTLP */
export function assertTimes({ startedAtNs, endedAtNs }: RunPart, receivedAtMs: number): void {
  for (const ns of [startedAtNs, endedAtNs]) {
    if (ns === undefined) continue;
    const ms = Number(BigInt(ns) / 1_000_000n);
    if (ms < receivedAtMs - OTLP_LIMITS.pastMs) throw new TypeError('it lies more than five years back');
    if (ms > receivedAtMs + OTLP_LIMITS.futureMs) throw new TypeError('it lies more than a day in the future');
  }
}

function earlier(a: string | undefined, b: string | undefined): string | undefined {
  return a === undefined || b === undefined ? (a ?? b) : BigInt(a) <= BigInt(b) ? a : b;
}

function later(a: string | undefined, b: string | undefined): string | undefined {
  return a === undefined || b === undefined ? (a ?? b) : BigInt(a) >= BigInt(b) ? a : b;
}

/** Two parts of one run, the later one to arrive last: what it says holds, what it does not say stays. */
export function mergeParts(first: RunPart, next: RunPart): RunPart {
  const startedAtNs = earlier(first.startedAtNs, next.startedAtNs);
  // An end that is told again corrects the one before; that of a frame only grows.
  const endedAtNs = next.isFrame === true ? later(first.endedAtNs, next.endedAtNs) : (next.endedAtNs ?? first.endedAtNs);
  return {
    ...first,
    ...next,
    attributes: { ...first.attributes, ...next.attributes },
    ...(startedAtNs === undefined ? {} : { startedAtNs }),
    ...(endedAtNs === undefined ? {} : { endedAtNs }),
  };
}

/** The span that a run is. A run without an end has no length. */
export function spanOfRun(part: RunPart): OtlpSpan {
  const startedAtNs = BigInt(part.startedAtNs ?? part.endedAtNs ?? 0);
  const endedAtNs = BigInt(part.endedAtNs ?? startedAtNs);
  const hasFailed = part.error !== undefined || part.errorType !== undefined;
  const exception = {
    ...(part.error ? { 'exception.message': part.error } : {}),
    ...(part.errorType ? { 'exception.type': part.errorType } : {}),
  };
  return {
    traceId: part.traceId,
    spanId: part.spanId,
    parentSpanId: part.parentSpanId === undefined || part.parentSpanId === part.spanId ? null : part.parentSpanId,
    name: (part.name ?? 'run').slice(0, OTLP_LIMITS.nameCharacters).toWellFormed(),
    kind: 1,
    startedAtNs,
    endedAtNs: endedAtNs > startedAtNs ? endedAtNs : startedAtNs,
    attributes: new Map(Object.entries(part.attributes).slice(0, OTLP_LIMITS.attributesPerSpan)),
    events: [
      ...(part.firstTokenAtNs === undefined ? [] : [{ name: 'new_token', atNs: BigInt(part.firstTokenAtNs), attributes: new Map() }]),
      ...(hasFailed ? [{ name: 'exception', atNs: endedAtNs, attributes: new Map(Object.entries(exception)) }] : []),
    ],
    links: [],
    status: { code: hasFailed ? 'error' : 'unset', message: '' },
    resource: 0,
    scope: { name: part.scope, version: '', attributes: new Map() },
    dropped: Math.max(0, Object.keys(part.attributes).length - OTLP_LIMITS.attributesPerSpan),
  };
}

/** What decides about items besides what they say themselves. */
export interface Receipt {
  readonly receivedAtMs: number;
  /** Why its sender may not send this; null = it may. */
  problemOf(part: RunPart): string | null;
  /** @throws Error saying why the score cannot be taken */
  scoreRow(score: SdkScore): ScoreRow;
}

/** Reads items one by one. */
export class ItemReader {
  readonly parts: RunPart[] = [];
  readonly scores: ScoreRow[] = [];
  readonly accepted: string[] = [];
  readonly rejected: { id: string; reason: string }[] = [];
  readonly #receipt: Receipt;

  constructor(receipt: Receipt) {
    this.#receipt = receipt;
  }

  /** @param read may throw anything: then the item is rejected and nothing of it kept */
  take(id: string, read: () => { readonly parts?: readonly RunPart[]; readonly scores?: readonly SdkScore[] }): void {
    const shown = id.slice(0, 200).toWellFormed();
    if (this.accepted.length + this.rejected.length >= MAX_ITEMS) {
      this.rejected.push({ id: shown, reason: `a request may hold ${MAX_ITEMS} items: send smaller batches` });
      return;
    }
    try {
      const { parts = [], scores = [] } = read();
      for (const part of parts) {
        assertTimes(part, this.#receipt.receivedAtMs);
        const problem = this.#receipt.problemOf(part);
        if (problem !== null) throw new TypeError(problem);
      }
      const rows = scores.map((score) => this.#receipt.scoreRow(score));
      this.parts.push(...parts);
      this.scores.push(...rows);
      this.accepted.push(shown);
    } catch (error) {
      this.rejected.push({ id: shown, reason: (error as Error).message });
    }
  }
}
