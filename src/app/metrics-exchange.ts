import type { ServerResponse } from 'node:http';
import { Pool } from 'undici';
import type { ChildContext } from './child-process.ts';
import { mergeExpositions } from './metrics-merge.ts';

const WAIT_MS = 1_500;

/** `/metrics` of the whole tree from whichever gateway worker is asked: all workers added up, then control's own. */
export class MetricsExchange {
  readonly #own: () => string;
  readonly #context: ChildContext;
  readonly #control: Pool;
  readonly #path: string;
  readonly #clusterKey: string;
  #nextId = 1;
  readonly #waiting = new Map<number, (texts: readonly string[]) => void>();

  constructor(options: { context: ChildContext; own: () => string; controlUrl: string; clusterKey: string }) {
    this.#own = options.own;
    this.#context = options.context;
    this.#clusterKey = options.clusterKey;
    const url = new URL(options.controlUrl);
    this.#control = new Pool(url.origin, { connections: 1, headersTimeout: WAIT_MS, bodyTimeout: WAIT_MS, connect: { timeout: WAIT_MS } });
    this.#path = `${url.pathname.replace(/\/+$/, '')}/internal/v1/metrics`;
    options.context.onMessage((message) => {
      if (message.type === 'metrics.request') options.context.send({ type: 'metrics.answer', id: message.id, text: this.#own() });
      else if (message.type === 'metrics.others') {
        this.#waiting.get(message.id)?.(message.texts);
        this.#waiting.delete(message.id);
      }
    });
  }

  answer(response: ServerResponse): void {
    void Promise.all([this.#others(), this.#fromControl()]).then(([others, control]) => {
      const text = `${mergeExpositions([this.#own(), ...others])}${control}`;
      response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8', 'content-length': Buffer.byteLength(text) });
      response.end(text);
    });
  }

  #others(): Promise<readonly string[]> {
    const id = this.#nextId++;
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        resolve([]);
      }, WAIT_MS);
      this.#waiting.set(id, (texts) => {
        clearTimeout(timer);
        resolve(texts);
      });
      this.#context.send({ type: 'metrics.collect', id });
    });
  }

  /** Control away = its metrics are absent, and `plimsoll_control_up 0` says so. */
  async #fromControl(): Promise<string> {
    const up = (value: 0 | 1): string =>
      `# HELP plimsoll_control_up Whether control answers this gateway.\n# TYPE plimsoll_control_up gauge\nplimsoll_control_up ${value}\n`;
    try {
      const answer = await this.#control.request({
        method: 'GET',
        path: this.#path,
        headers: { authorization: `Bearer ${this.#clusterKey}` },
      });
      const text = await answer.body.text();
      return answer.statusCode === 200 ? `${text}${up(1)}` : up(0);
    } catch {
      return up(0);
    }
  }
}
