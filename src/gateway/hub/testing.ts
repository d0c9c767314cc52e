/** What the tests of translated providers share: fixtures, a stream from its bytes to steps, and what a client makes of the chunks. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import type { StreamDecoder, StreamStep } from '../provider.ts';
import { SseScanner } from '../streams/sse-scanner.ts';

const FIXTURES = new URL('../fixtures/', import.meta.url);

/** Names of a provider's answers that exist both as JSON and as a stream. */
export function fixtureNames(provider: string): string[] {
  return readdirSync(new URL(`${provider}/`, FIXTURES))
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.slice(0, -'.json'.length))
    .sort();
}

export function jsonFixture(provider: string, name: string): Record<string, unknown> {
  return JSON.parse(fixture(provider, `${name}.json`).toString()) as Record<string, unknown>;
}

export function fixture(provider: string, file: string): Buffer {
  return readFileSync(new URL(`${provider}/${file}`, FIXTURES));
}

/** The steps of a stream of server-sent events that arrives in these pieces and then ends. */
export function sseSteps(decoder: StreamDecoder, pieces: readonly Buffer[]): StreamStep[] {
  const found: StreamStep[] = [];
  const listener = {
    onEvent(_raw: Buffer, _start: number, _end: number, data: Buffer, dataStart: number, dataEnd: number, name: string | null): boolean {
      found.push(decoder.onEvent(name, data.toString('utf8', dataStart, dataEnd)));
      return true;
    },
    onComment(): void {},
  };
  const scanner = new SseScanner(listener, 1 << 20);
  for (const piece of pieces) scanner.push(Buffer.from(piece));
  scanner.end();
  found.push(decoder.end());
  return found;
}

/** The same steps wherever the bytes are cut in two, and byte by byte. */
export function assertSameWhereverCut(bytes: Buffer, steps: (pieces: readonly Buffer[]) => unknown): void {
  const expected = JSON.stringify(steps([bytes]));
  for (let at = 1; at < bytes.length; at++) {
    const actual = JSON.stringify(steps([bytes.subarray(0, at), bytes.subarray(at)]));
    if (actual !== expected) assert.equal(actual, expected, `cut at byte ${at}`);
  }
  assert.equal(JSON.stringify(steps(Array.from(bytes, (byte) => Buffer.of(byte)))), expected, 'byte by byte');
}

interface ToolCallDelta {
  readonly index: number;
  readonly id?: string;
  readonly type?: string;
  readonly function: { readonly name?: string; readonly arguments?: string };
}

export interface HubDelta {
  readonly role?: string;
  readonly content?: string;
  readonly refusal?: string;
  readonly reasoning_content?: string;
  readonly thinking_blocks?: unknown[];
  readonly images?: unknown[];
  readonly tool_calls?: ToolCallDelta[];
}

export interface HubChunk {
  readonly id: string;
  readonly model: string;
  readonly created: number;
  readonly object: string;
  readonly choices: { readonly delta: HubDelta; readonly finish_reason: string | null }[];
  readonly usage?: unknown;
}

export function chunksOf(steps: readonly StreamStep[]): HubChunk[] {
  return JSON.parse(JSON.stringify(steps.flatMap((step) => step.chunks))) as HubChunk[]; // as a client sees them
}

export function factsOf(steps: readonly StreamStep[]): Record<string, unknown> {
  return Object.assign({}, ...steps.map((step) => step.facts)) as Record<string, unknown>;
}

/** What a client makes of the chunks: deltas added up into a `chat.completion`. */
export function addUp(chunks: readonly HubChunk[]): unknown {
  const text = { content: '', refusal: '', reasoning: '' };
  const thinking: unknown[] = [];
  const images: unknown[] = [];
  const calls: Record<string, unknown>[] = [];
  let finish: string | null = null;
  let usage: unknown;
  for (const chunk of chunks) {
    usage = chunk.usage ?? usage;
    for (const { delta, finish_reason } of chunk.choices) {
      finish = finish_reason ?? finish;
      text.content += delta.content ?? '';
      text.refusal += delta.refusal ?? '';
      text.reasoning += delta.reasoning_content ?? '';
      thinking.push(...(delta.thinking_blocks ?? []));
      images.push(...(delta.images ?? []));
      for (const { index, function: called, ...rest } of delta.tool_calls ?? []) {
        const known = (calls[index]?.function ?? { name: '', arguments: '' }) as { name: string; arguments: string };
        calls[index] = {
          ...calls[index],
          ...rest,
          function: { name: known.name + (called.name ?? ''), arguments: known.arguments + (called.arguments ?? '') },
        };
      }
    }
  }
  const [first] = chunks;
  return {
    id: first?.id,
    object: 'chat.completion',
    created: first?.created,
    model: first?.model,
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: text.content !== '' || calls.length === 0 ? text.content : null,
          refusal: text.refusal === '' ? null : text.refusal,
          ...(text.reasoning === '' ? {} : { reasoning_content: text.reasoning }),
          ...(thinking.length === 0 ? {} : { thinking_blocks: thinking }),
          ...(images.length === 0 ? {} : { images }),
          ...(calls.length === 0 ? {} : { tool_calls: calls }),
        },
        logprobs: null,
        finish_reason: finish,
      },
    ],
    usage,
  };
}
