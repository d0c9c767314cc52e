import type { Usage } from '../../models/usage.ts';
import type { DialectName } from '../provider.ts';
import type { PurgeSelector } from './settings.ts';

/** Where an answer came from and what it cost when it was new. */
export interface AnswerOrigin {
  readonly callId: string;
  readonly traceId: string;
  /** Alias in plimsoll.yaml. */
  readonly model: string;
  readonly provider: string;
  readonly requestModel: string;
  readonly responseModel: string | null;
  readonly responseId: string | null;
  readonly finishReasons: readonly string[];
  readonly usage: Usage | null;
  /** Decimal integer; null = unpriced. */
  readonly costPicoUsd: string | null;
}

/** An answer as a client got it, and what is needed to give it to another one in another form. */
export interface CachedAnswer {
  /** Tenant and feature that it belongs to: compared on every read, whatever the key says. */
  readonly scope: string;
  readonly feature: string;
  /** Of the client for whom it was made. */
  readonly dialect: DialectName;
  readonly isStream: boolean;
  /** OpenAI streams: the client asked for the usage chunk. */
  readonly hasUsageChunk: boolean;
  /** False for a stream that was one JSON array. */
  readonly isEventStream: boolean;
  /** JSON body, or all events of the stream. */
  readonly body: Buffer;
  /** Bytes at the end of a stream that say that it is over. */
  readonly lastBytes: number;
  /** Pieces of a stream: [offset where it ends, milliseconds since the first piece] one after the other. */
  readonly cadence: readonly number[];
  /** The answer in the hub's form: a completion, or a chunk a line; null when `body` is that. */
  readonly hub: Buffer | null;
  readonly origin: AnswerOrigin;
  /** Epoch milliseconds. */
  readonly storedAtMs: number;
  readonly expiresAtMs: number;
  /** `name=value`, of the call that filled it. */
  readonly tags: readonly string[];
  /** Newest purge that the call which filled it knew of. */
  readonly purgeSequence: number;
}

export interface FeatureHoldings {
  readonly entries: number;
  readonly bytes: number;
}

/**
 * Where answers rest. A cache: what it lost, or cannot say in time, is a miss. Size-bounded by bytes; keys are hex and name one answer each.
 */
export interface AnswerCache {
  readonly driver: 'memory' | 'redis';
  /** The answer under a key or an alias; null also when it has expired. @throws when the store cannot say */
  get(key: string): Promise<CachedAnswer | null>;
  /**
   * Replaces what is there. @param aliases further keys that lead to it, until another answer takes them
   * @returns false when it is larger than the cache may be
   */
  put(key: string, answer: CachedAnswer, aliases: readonly string[]): Promise<boolean>;
  /** Removes what is selected and was begun before the purge of this number was known. @returns answers removed */
  purge(selector: PurgeSelector, sequence: number): Promise<number>;
  /** By feature; expired answers may be counted until their place is needed. */
  holdings(): Promise<ReadonlyMap<string, FeatureHoldings>>;
  /** Answers that made room for others since the start, as far as this process knows. */
  readonly evictions: number;
  resize(maxBytes: number): void;
}

/** What an answer takes; the constant stands for its small parts. */
export function answerBytes({ body, hub, tags, cadence }: CachedAnswer): number {
  return body.length + (hub?.length ?? 0) + cadence.length * 8 + tags.reduce((sum, tag) => sum + tag.length, 0) + 700;
}

export function isSelected(selector: PurgeSelector, feature: string, tags: readonly string[]): boolean {
  return (selector.feature === null || selector.feature === feature) && (selector.tag === null || tags.includes(selector.tag));
}

const HEAD_BYTES = 12;
type Head = Omit<CachedAnswer, 'body' | 'hub'> & { readonly hasHub: boolean };

/** An answer as one run of bytes: u32le lengths of head, body and hub form, then these. Knows its length before it is written. */
export class EncodedAnswer {
  readonly length: number;
  readonly #head: string;
  readonly #headBytes: number;
  readonly #body: Buffer;
  readonly #hub: Buffer | null;

  constructor({ body, hub, ...rest }: CachedAnswer) {
    this.#body = body;
    this.#hub = hub;
    this.#head = JSON.stringify({ ...rest, hasHub: hub !== null } satisfies Head);
    this.#headBytes = Buffer.byteLength(this.#head);
    this.length = HEAD_BYTES + this.#headBytes + body.length + (hub?.length ?? 0);
  }

  /** Writes `length` bytes. */
  writeTo(target: Buffer, start: number): void {
    const headStart = start + HEAD_BYTES;
    const bodyStart = headStart + this.#headBytes;
    target.writeUInt32LE(this.#headBytes, start);
    target.writeUInt32LE(this.#body.length, start + 4);
    target.writeUInt32LE(this.#hub?.length ?? 0, start + 8);
    target.write(this.#head, headStart);
    this.#body.copy(target, bodyStart);
    this.#hub?.copy(target, bodyStart + this.#body.length);
  }
}

export function encodeAnswer(answer: CachedAnswer): Buffer {
  const encoded = new EncodedAnswer(answer);
  const whole = Buffer.allocUnsafe(encoded.length);
  encoded.writeTo(whole, 0);
  return whole;
}

/** @returns null for bytes that are not a whole answer of this version */
export function decodeAnswer(bytes: Buffer): CachedAnswer | null {
  if (bytes.length < HEAD_BYTES) return null;
  const headEnd = HEAD_BYTES + bytes.readUInt32LE(0);
  const bodyEnd = headEnd + bytes.readUInt32LE(4);
  const end = bodyEnd + bytes.readUInt32LE(8);
  if (end !== bytes.length) return null;
  try {
    const { hasHub, ...rest } = JSON.parse(bytes.toString('utf8', HEAD_BYTES, headEnd)) as Head; // written by encodeAnswer
    return { ...rest, body: bytes.subarray(headEnd, bodyEnd), hub: hasHub ? bytes.subarray(bodyEnd, end) : null };
  } catch {
    return null;
  }
}
