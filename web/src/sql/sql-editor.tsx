import { type KeyboardEvent, type ReactNode, useRef } from 'react';
import { formatInteger } from '../format/number.ts';
import { Popover } from '../ui/popover.tsx';
import { offsetOfError } from './sql-text.ts';
import type { SqlRun } from './use-sql-run.ts';

/** The statement, and what acts on it. Ctrl or ⌘ with Enter runs it. */
export function SqlEditor({ run }: { run: SqlRun }): ReactNode {
  const fieldRef = useRef<HTMLTextAreaElement>(null);
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    run.start();
  };
  const errorOffset = run.error === null ? null : offsetOfError(run.error.message, run.text);
  const goToError = (): void => {
    const field = fieldRef.current;
    if (!field || errorOffset === null) return;
    const word = /^\w+|^[^\s]/.exec(run.text.slice(errorOffset))?.[0] ?? '';
    field.focus();
    field.setSelectionRange(errorOffset, errorOffset + word.length);
  };
  return (
    <section className="panel flex min-w-0 flex-col" aria-label="Statement">
      <label htmlFor="sql-text" className="sr-only">
        SQL statement
      </label>
      <textarea
        ref={fieldRef}
        id="sql-text"
        data-search
        className="block min-h-36 w-full resize-y rounded-t-lg bg-surface p-3 font-mono text-xs leading-5 whitespace-pre focus-visible:-outline-offset-2"
        rows={Math.min(18, Math.max(7, run.text.split('\n').length + 1))}
        maxLength={20_000}
        spellCheck={false}
        autoCapitalize="off"
        autoComplete="off"
        aria-invalid={run.error !== null}
        aria-describedby="sql-error"
        value={run.text}
        onChange={(event) => run.setText(event.target.value)}
        onKeyDown={onKeyDown}
      />
      <div className="flex flex-wrap items-center gap-2 border-t px-3 py-2">
        {run.isRunning ? (
          <button type="button" className="button button-critical" onClick={run.cancel}>
            Cancel
          </button>
        ) : (
          <button
            type="button"
            className="button button-primary"
            onClick={run.start}
            disabled={run.text.trim() === ''}
            data-tip="Ctrl or ⌘ with Enter"
          >
            Run
          </button>
        )}
        <span className="tabular text-ink-2" role="status">
          {run.isRunning ? `Running, ${(run.elapsedMs / 1000).toFixed(1)} s` : ''}
        </span>
        <span className="ml-auto">
          <Popover label="History" align="end">
            {(close) => <History run={run} close={close} />}
          </Popover>
        </span>
      </div>
      <div id="sql-error">
        {run.error !== null && !run.isRunning && (
          <div role="alert" className="flex flex-wrap items-baseline gap-x-3 gap-y-1 border-t bg-critical-soft px-3 py-2">
            <span className="min-w-0 flex-1 basis-64 [overflow-wrap:anywhere]">{run.error.message}</span>
            {errorOffset !== null && (
              <button type="button" className="button button-small" onClick={goToError}>
                Show the place
              </button>
            )}
          </div>
        )}
      </div>
    </section>
  );
}

function History({ run, close }: { run: SqlRun; close: () => void }): ReactNode {
  if (run.history.length === 0) return <p className="w-64 text-ink-2">Nothing was run in this browser yet.</p>;
  return (
    <div className="flex w-[min(30rem,calc(100vw-48px))] flex-col gap-2">
      <ul className="-mx-1.5 max-h-80 overflow-y-auto">
        {run.history.map((query) => (
          <li key={query}>
            <button
              type="button"
              className="line-clamp-3 w-full rounded-md px-1.5 py-1 text-left font-mono text-xs break-all hover:bg-hover"
              onClick={() => {
                run.setText(query);
                close();
              }}
            >
              {query}
            </button>
          </li>
        ))}
      </ul>
      <div className="flex items-center justify-between text-xs text-ink-3">
        <span>{formatInteger(run.history.length)} kept in this browser only</span>
        <button type="button" className="button button-small button-quiet" onClick={run.clearHistory}>
          Clear
        </button>
      </div>
    </div>
  );
}
