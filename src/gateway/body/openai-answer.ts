import type { JsonScanner } from './json-scanner.ts';
import { KeyNames } from './key-names.ts';

/** What the gateway reads of a `chat.completion`; offsets into its bytes, null = absent. */
export interface OpenAiAnswer {
  readonly id: string | null;
  readonly model: string | null;
  readonly finishReasons: readonly string[];
  readonly usage: readonly [start: number, end: number] | null;
  readonly error: readonly [start: number, end: number] | null;
  readonly messages: readonly (readonly [start: number, end: number])[];
  /** Bytes of the texts of a text completion. */
  readonly textBytes: number;
  readonly serviceTier: string | null;
}

const KEYS = new KeyNames(['id', 'model', 'usage', 'error', 'choices', 'message', 'text', 'finish_reason', 'service_tier']);

function stringAt(bytes: Buffer, start: number, end: number): string | null {
  return bytes[start] === 0x22 ? (JSON.parse(bytes.toString('utf8', start, end)) as string) : null;
}

/** @throws PlimsollError `invalid_argument` when the bytes are not one JSON object */
export function scanOpenAiAnswer(bytes: Buffer, scanner: JsonScanner): OpenAiAnswer {
  let id: string | null = null;
  let model: string | null = null;
  let usage: [number, number] | null = null;
  let error: [number, number] | null = null;
  const finishReasons: string[] = [];
  const messages: [number, number][] = [];
  let textBytes = 0;
  let serviceTier: string | null = null;

  function scanChoice(): void {
    if (scanner.peek() !== 0x7b) {
      scanner.skipValue();
      return;
    }
    if (!scanner.enter(0x7b)) return;
    do {
      scanner.peek();
      const keyStart = scanner.position + 1;
      const name = KEYS.find(bytes, keyStart, scanner.skipKey());
      const start = scanner.position;
      scanner.skipValue();
      if (name === 'message') messages.push([start, scanner.position]);
      else if (name === 'text') textBytes += scanner.position - start;
      else if (name === 'finish_reason') {
        const reason = stringAt(bytes, start, scanner.position);
        if (reason !== null) finishReasons.push(reason);
      }
    } while (scanner.next(0x7d));
  }

  scanner.reset(bytes);
  if (scanner.enter(0x7b)) {
    do {
      scanner.peek();
      const keyStart = scanner.position + 1;
      const name = KEYS.find(bytes, keyStart, scanner.skipKey());
      const start = scanner.position;
      const first = bytes[start];
      if (name === 'choices' && first === 0x5b) {
        if (scanner.enter(0x5b)) {
          do scanChoice();
          while (scanner.next(0x5d));
        }
        continue;
      }
      scanner.skipValue();
      const end = scanner.position;
      if (name === 'id') id = stringAt(bytes, start, end);
      else if (name === 'model') model = stringAt(bytes, start, end);
      else if (name === 'service_tier') serviceTier = stringAt(bytes, start, end);
      else if (name === 'usage' && first === 0x7b) usage = [start, end];
      else if (name === 'error' && (first === 0x7b || first === 0x22)) error = [start, end];
    } while (scanner.next(0x7d));
  }
  scanner.finish();
  return { id, model, finishReasons, usage, error, messages, textBytes, serviceTier };
}
