import type { PicoUsd } from '../../kernel/money.ts';
import { boundedMeanInterval } from '../../stats/intervals.ts';
import type { ResultRow } from './result-row.ts';
import type { RunHeader } from './run-directory.ts';
import type { RunEnd } from './run-suite.ts';

/** One column of the matrix: a prompt at a target. */
export interface CellSummary {
  readonly prompt: string;
  readonly target: string;
  readonly passed: number;
  readonly failed: number;
  readonly unmeasured: number;
  readonly errors: number;
  /** Of those that passed or failed; null without any. */
  readonly passRatio: number | null;
  /** 95 %, as if the repeats of a case always agreed: they say something of the case, nothing of other cases. */
  readonly passInterval: readonly [number, number] | null;
  readonly meanScore: number | null;
}

export interface MetricSummary {
  readonly name: string;
  readonly mean: number | null;
  readonly measured: number;
  readonly unmeasured: number;
}

export interface RunSummary {
  readonly id: string;
  readonly suite: string;
  readonly state: 'complete' | 'stopped' | 'running';
  readonly stopped: RunEnd['stopped'];
  readonly startedAtMs: number;
  readonly endedAtMs: number | null;
  readonly done: number;
  readonly total: number;
  readonly cells: readonly CellSummary[];
  readonly metrics: readonly MetricSummary[];
  readonly spentPicoUsd: string;
  readonly judgePicoUsd: string;
  /** Answers without a price: what they cost is not in the sum. */
  readonly unpriced: number;
  /** Answers that the gateway gave again, already paid for. */
  readonly replayed: number;
  readonly retried: number;
}

interface Cell {
  passed: number;
  failed: number;
  unmeasured: number;
  errors: number;
  scores: number;
  scored: number;
}

/** Counts rows one at a time: a run of any length takes the same memory. */
export class Summariser {
  readonly #header: RunHeader;
  readonly #cells: Cell[];
  readonly #metrics = new Map<string, { sum: number; measured: number; unmeasured: number }>();
  #done = 0;
  #spent: PicoUsd = 0n;
  #judge: PicoUsd = 0n;
  #unpriced = 0;
  #replayed = 0;
  #retried = 0;

  constructor(header: RunHeader) {
    this.#header = header;
    this.#cells = Array.from({ length: header.prompts.length * header.targets.length }, () => ({
      passed: 0,
      failed: 0,
      unmeasured: 0,
      errors: 0,
      scores: 0,
      scored: 0,
    }));
  }

  add(row: ResultRow): void {
    const cell = this.#cells[row.prompt * this.#header.targets.length + row.target];
    if (cell === undefined) return;
    this.#done++;
    cell[row.state === 'error' ? 'errors' : row.state]++;
    if (row.score !== null) {
      cell.scores += row.score;
      cell.scored++;
    }
    for (const [name, value] of Object.entries(row.metrics ?? {})) {
      const metric = this.#metrics.get(name) ?? { sum: 0, measured: 0, unmeasured: 0 };
      this.#metrics.set(name, metric);
      if (value === null) metric.unmeasured++;
      else {
        metric.sum += value;
        metric.measured++;
      }
    }
    if (row.costPicoUsd !== null) this.#spent += BigInt(row.costPicoUsd);
    else if (row.output !== null) this.#unpriced++;
    if (row.judgeCostPicoUsd !== undefined) this.#judge += BigInt(row.judgeCostPicoUsd);
    if (row.isReplayed === true) this.#replayed++;
    if ((row.attempts ?? 1) > 1) this.#retried++;
  }

  summary(end: { readonly stopped: RunEnd['stopped']; readonly atMs: number } | null): RunSummary {
    const { id, suite, prompts, targets, repeats, startedAtMs, total } = this.#header;
    return {
      id,
      suite,
      state: end === null ? 'running' : end.stopped === null ? 'complete' : 'stopped',
      stopped: end?.stopped ?? null,
      startedAtMs,
      endedAtMs: end?.atMs ?? null,
      done: this.#done,
      total,
      cells: this.#cells.map((cell, index) =>
        cellSummary(cell, repeats, prompts[Math.floor(index / targets.length)]?.label, targets[index % targets.length]?.label),
      ),
      metrics: [...this.#metrics].map(([name, { sum, measured, unmeasured }]) => ({
        name,
        mean: measured === 0 ? null : sum / measured,
        measured,
        unmeasured,
      })),
      spentPicoUsd: `${this.#spent}`,
      judgePicoUsd: `${this.#judge}`,
      unpriced: this.#unpriced,
      replayed: this.#replayed,
      retried: this.#retried,
    };
  }
}

function cellSummary(cell: Cell, repeats: number, prompt = '', target = ''): CellSummary {
  const { passed, failed, unmeasured, errors, scores, scored } = cell;
  const told = passed + failed;
  const cases = Math.max(1, Math.floor(told / repeats));
  return {
    prompt,
    target,
    passed,
    failed,
    unmeasured,
    errors,
    passRatio: told === 0 ? null : passed / told,
    passInterval: told === 0 ? null : boundedMeanInterval(passed / told, cases, 0, 1),
    meanScore: scored === 0 ? null : scores / scored,
  };
}
