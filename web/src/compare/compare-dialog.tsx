import { useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, type ReactNode, useState } from 'react';
import { tracesQuery } from '../api/queries.ts';
import type { TraceSummary } from '../api/schema.ts';
import { formatDuration, UNKNOWN } from '../format/number.ts';
import { STATUS_WORDS } from '../traces/status-word.ts';
import { Dialog } from '../ui/dialog.tsx';
import { QueryState, SkeletonRows } from '../ui/query-state.tsx';
import { StateShape } from '../ui/state-mark.tsx';
import { TimeText } from '../ui/time-text.tsx';
import { parseTraceId } from './compare-search.ts';

const SHOWN = 30;

/** Finds the other trace: by its id, or among the newest of the same feature. */
export function CompareButton({ trace }: { trace: TraceSummary }): ReactNode {
  const [isOpen, setIsOpen] = useState(false);
  return (
    <>
      <button type="button" className="button button-small" onClick={() => setIsOpen(true)}>
        Compare with…
      </button>
      {isOpen && <CompareDialog trace={trace} onClose={() => setIsOpen(false)} />}
    </>
  );
}

function CompareDialog({ trace, onClose }: { trace: TraceSummary; onClose: () => void }): ReactNode {
  const navigate = useNavigate();
  const others = useInfiniteQuery(tracesQuery({ kind: 'preset', preset: '7d' }, { feature: trace.feature }));
  const go = (b: string): void => void navigate({ to: '/compare', search: { a: trace.traceId, b } });
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const id = parseTraceId(new FormData(event.currentTarget).get('id'));
    if (id !== null) go(id);
  };
  return (
    <Dialog title="Compare with another trace" onClose={onClose}>
      <form className="mb-3 flex items-end gap-2" onSubmit={submit}>
        <label className="flex min-w-0 flex-1 flex-col gap-1">
          <span className="font-medium">Trace id</span>
          <input
            className="field font-mono text-xs"
            name="id"
            required
            pattern="\s*[0-9a-fA-F]{32}\s*"
            title="A trace id has 32 hexadecimal digits"
            autoComplete="off"
            spellCheck={false}
          />
        </label>
        <button type="submit" className="button button-primary">
          Compare
        </button>
      </form>
      <h3 className="label mb-1">Newest of {trace.feature}, last 7 days</h3>
      <QueryState query={others} skeleton={<SkeletonRows count={6} height={44} />}>
        {({ pages }) => {
          const found = (pages[0]?.traces ?? []).filter(({ traceId }) => traceId !== trace.traceId).slice(0, SHOWN);
          if (found.length === 0) return <p className="text-ink-2">There is no other one.</p>;
          return (
            <ul className="-mx-1.5 max-h-80 overflow-y-auto">
              {found.map((other) => (
                <li key={other.traceId}>
                  <button
                    type="button"
                    className="flex w-full flex-col rounded-md px-1.5 py-1 text-left hover:bg-hover"
                    onClick={() => go(other.traceId)}
                  >
                    <span className="flex items-center gap-2">
                      <StateShape state={STATUS_WORDS[other.status].state} label={STATUS_WORDS[other.status].word} />
                      <TimeText at={other.startedAt} />
                      <span className="min-w-0 truncate text-ink-2">{other.models.join(', ') || UNKNOWN}</span>
                      <span className="tabular ml-auto">{formatDuration(other.durationMs)}</span>
                    </span>
                    <span className="w-full truncate text-xs text-ink-3">
                      <bdi>{other.inputPreview || 'not recorded'}</bdi>
                    </span>
                  </button>
                </li>
              ))}
            </ul>
          );
        }}
      </QueryState>
    </Dialog>
  );
}
