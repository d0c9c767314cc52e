import { Agent } from 'undici';

export interface LoadResult {
  /** Trace ids of calls whose answer was received completely. */
  readonly complete: string[];
  readonly failed: number;
  readonly statuses: Map<string, number>;
}

/** Calls `/v1/chat/completions` with `concurrency` clients, JSON and streams by turns, until told to stop. */
export function startLoad(url: string, key: string, concurrency: number, pauseMs = 0): { stop(): Promise<LoadResult>; result: LoadResult } {
  const complete: string[] = [];
  const statuses = new Map<string, number>();
  const result = { complete, failed: 0, statuses };
  let isStopped = false;
  const agent = new Agent({ connections: concurrency, pipelining: 1 });
  const client = async (index: number): Promise<void> => {
    for (let call = 0; !isStopped; call++) {
      const isStream = (index + call) % 2 === 0;
      try {
        const answer = await agent.request({
          origin: url,
          path: '/v1/chat/completions',
          method: 'POST',
          headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
          body: JSON.stringify({ model: 'default', stream: isStream, messages: [{ role: 'user', content: `call ${index}-${call}` }] }),
        });
        const text = await answer.body.text();
        const isComplete = answer.statusCode === 200 && (isStream ? text.trimEnd().endsWith('data: [DONE]') : text.endsWith('}'));
        if (isComplete) complete.push(String(answer.headers['x-plimsoll-trace-id']));
        else {
          result.failed += 1;
          statuses.set(`${answer.statusCode}`, (statuses.get(`${answer.statusCode}`) ?? 0) + 1);
        }
      } catch (error) {
        result.failed += 1;
        const reason = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
        statuses.set(reason, (statuses.get(reason) ?? 0) + 1);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  };
  const clients = Array.from({ length: concurrency }, (_, index) => client(index));
  return {
    result,
    async stop() {
      isStopped = true;
      await Promise.all(clients);
      await agent.close();
      return result;
    },
  };
}
