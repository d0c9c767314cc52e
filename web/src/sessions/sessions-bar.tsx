import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { featuresQuery } from '../api/queries.ts';
import { Icon } from '../shell/icons.tsx';
import { Choice } from '../ui/choice.tsx';
import { SearchField } from '../ui/search-field.tsx';
import { parseSessionsSearch, type SessionsSearch, SORT_LABELS, SORTS } from './sessions-search.ts';

interface SessionsBarProps {
  readonly label: string;
  readonly search: SessionsSearch;
  readonly onChange: (search: SessionsSearch) => void;
}

/** Filters and order, of sessions as of users. */
export function SessionsBar({ label, search, onChange }: SessionsBarProps): ReactNode {
  const features = useQuery(featuresQuery);
  const set = (name: 'q' | 'feature' | 'user' | 'sort', value: string): void => onChange(parseSessionsSearch({ ...search, [name]: value }));
  return (
    <div className="mb-2 flex flex-wrap items-center gap-2">
      <SearchField label={label} value={search.q ?? ''} onSubmit={(text) => set('q', text)} />
      <Choice
        label="Feature"
        value={search.feature}
        options={(features.data ?? []).map(({ name }) => [name, name])}
        onChange={(value) => set('feature', value)}
      />
      <label className="flex items-center gap-1.5 text-ink-2">
        Sort
        <select className="field" value={search.sort ?? 'recent'} onChange={(event) => set('sort', event.target.value)}>
          {SORTS.map((sort) => (
            <option key={sort} value={sort}>
              {SORT_LABELS[sort]}
            </option>
          ))}
        </select>
      </label>
      {search.user !== undefined && (
        <button
          type="button"
          className="button button-small max-w-72 bg-accent-soft text-accent"
          onClick={() => set('user', '')}
          aria-label={`Remove filter User: ${search.user}`}
        >
          <span className="truncate">
            User: <bdi>{search.user}</bdi>
          </span>
          <Icon name="close" className="size-3" />
        </button>
      )}
    </div>
  );
}
