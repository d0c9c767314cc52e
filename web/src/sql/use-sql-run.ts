import { useMutation } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { type ApiError, asApiError } from '../api/problem.ts';
import type { SqlResult } from '../api/schema.ts';
import { cancelSql, runSql } from './sql-queries.ts';
import { readHistory, withQuery } from './sql-text.ts';

const HISTORY_KEY = 'plimsoll.sql.history';

export interface SqlRun {
  readonly text: string;
  readonly setText: (text: string) => void;
  /** Runs the text as it stands, unless a run goes on. */
  readonly start: () => void;
  readonly cancel: () => void;
  readonly isRunning: boolean;
  /** Of the run that goes on. */
  readonly elapsedMs: number;
  readonly result: SqlResult | null;
  readonly error: ApiError | null;
  readonly history: readonly string[];
  readonly clearHistory: () => void;
}

/** One statement at a time, with what this browser has run before. */
export function useSqlRun(firstText: string): SqlRun {
  const [history, setHistory] = useState(() => readHistory(localStorage.getItem(HISTORY_KEY)));
  const [text, setText] = useState(history[0] ?? firstText);
  const [elapsedMs, setElapsedMs] = useState(0);
  const runId = useRef('');
  const remember = (next: readonly string[]): void => {
    setHistory(next);
    localStorage.setItem(HISTORY_KEY, JSON.stringify(next));
  };
  const run = useMutation({
    mutationFn: (query: string) => {
      runId.current = crypto.randomUUID();
      return runSql(query, runId.current);
    },
  });
  const { isPending } = run;
  useEffect(() => {
    if (!isPending) return;
    const startedMs = performance.now();
    const timer = window.setInterval(() => setElapsedMs(performance.now() - startedMs), 100);
    return () => {
      window.clearInterval(timer);
      setElapsedMs(0);
    };
  }, [isPending]);
  return {
    text,
    setText,
    start() {
      if (isPending || text.trim() === '') return;
      remember(withQuery(history, text));
      run.mutate(text);
    },
    cancel() {
      // One that has just ended has nothing to cancel.
      void cancelSql(runId.current).catch(() => undefined);
    },
    isRunning: isPending,
    elapsedMs,
    result: run.data ?? null,
    error: run.error ? asApiError(run.error) : null,
    history,
    clearHistory: () => remember([]),
  };
}
