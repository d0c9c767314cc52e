/** One JSON chat call with fetch. */
export function chat(url: string, key: string, text = 'hello', extra: Readonly<Record<string, unknown>> = {}): Promise<Response> {
  return fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'default', messages: [{ role: 'user', content: text }], ...extra }),
  });
}

export interface Streaming {
  readonly traceId: string;
  /** Waits until the text so far holds `word`. */
  until(word: string): Promise<void>;
  /** Reads to the end. @throws when the connection breaks */
  rest(): Promise<string>;
}

/** A chat call that streams; resolves once its head is here. */
export async function stream(url: string, key: string): Promise<Streaming> {
  const answer = await chat(url, key, 'stream, please', { stream: true });
  if (answer.status !== 200 || answer.body === null) throw new Error(`${answer.status}: ${await answer.text()}`);
  const reader = answer.body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  const pull = async (): Promise<boolean> => {
    const { done, value } = await reader.read();
    if (value !== undefined) text += decoder.decode(value, { stream: true });
    return !done;
  };
  return {
    traceId: answer.headers.get('x-plimsoll-trace-id') ?? '',
    async until(word) {
      while (!text.includes(word)) if (!(await pull())) throw new Error(`the stream ended before "${word}": ${text}`);
    },
    async rest() {
      while (await pull());
      return text;
    },
  };
}
