/** What a provider says to one request, whatever its wire format. */
export interface Call {
  readonly id: string;
  readonly name: string;
  readonly input: Readonly<Record<string, unknown>>;
}

export type Scenario =
  | { readonly kind: 'answer'; readonly text: string; readonly calls: readonly Call[] }
  /** A stream that sends its first piece and then nothing. */
  | { readonly kind: 'hang'; readonly text: string }
  | { readonly kind: 'error'; readonly status: number; readonly message: string };

export function says(text: string): Scenario {
  return { kind: 'answer', text, calls: [] };
}

export function asks(...calls: readonly Call[]): Scenario {
  return { kind: 'answer', text: '', calls };
}

export function fails(status: number, message: string): Scenario {
  return { kind: 'error', status, message };
}

export const USAGE = { input: 20, cached: 8, output: 5 };

/** A text in pieces that put together are the text. */
export function pieces(text: string): string[] {
  const size = Math.max(1, Math.ceil(text.length / 3));
  return Array.from({ length: Math.ceil(text.length / size) }, (_, index) => text.slice(index * size, (index + 1) * size));
}
