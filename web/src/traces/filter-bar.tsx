import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { featuresQuery, summaryQuery } from '../api/queries.ts';
import { type Range, rangeOf } from '../range/range.ts';
import { Icon } from '../shell/icons.tsx';
import { Choice } from '../ui/choice.tsx';
import { Popover } from '../ui/popover.tsx';
import { SearchField } from '../ui/search-field.tsx';
import { FilterForm } from './filter-form.tsx';
import { activeFilters, FILTER_LABELS, parseTracesSearch, STATUSES, type TracesSearch, withoutFilter } from './filters.ts';
import { STATUS_WORDS } from './status-word.ts';

interface FilterBarProps {
  readonly search: TracesSearch;
  readonly onChange: (search: TracesSearch) => void;
}

const WEEK: Range = { kind: 'preset', preset: '7d' };

export function FilterBar({ search, onChange }: FilterBarProps): ReactNode {
  const features = useQuery(featuresQuery);
  const models = useQuery({ ...summaryQuery(WEEK, 'model'), staleTime: 60_000 });
  const featureNames = (features.data ?? []).map((feature) => feature.name);
  const modelNames = (models.data?.groups ?? []).flatMap((group) => (group.key === null ? [] : [group.key]));
  const set = (name: 'status' | 'feature' | 'model' | 'q', value: string): void =>
    onChange(parseTracesSearch({ ...search, [name]: value }));
  return (
    <div className="mb-2 flex flex-wrap items-center gap-2">
      <SearchField label="Text in input or output" value={search.q ?? ''} onSubmit={(text) => set('q', text)} />
      <Choice
        isHiddenOnPhone
        label="Status"
        value={search.status}
        options={STATUSES.map((status) => [status, STATUS_WORDS[status].word])}
        onChange={(value) => set('status', value)}
      />
      <Choice
        isHiddenOnPhone
        label="Feature"
        value={search.feature}
        options={featureNames.map((name) => [name, name])}
        onChange={(value) => set('feature', value)}
      />
      <Choice
        isHiddenOnPhone
        label="Model"
        value={search.model}
        options={modelNames.map((name) => [name, name])}
        onChange={(value) => set('model', value)}
      />
      <Popover label={<FiltersLabel />} align="end">
        {(close) => (
          <FilterForm
            search={search}
            onSubmit={(next) => {
              close();
              onChange(next);
            }}
          />
        )}
      </Popover>
      <Chips search={search} onChange={onChange} />
    </div>
  );
}

function FiltersLabel(): ReactNode {
  return (
    <>
      <span className="hidden sm:inline">More filters</span>
      <span className="sm:hidden">Filters</span>
    </>
  );
}

/** Filters that have no control of their own in the bar, and on a phone all of them. */
function Chips({ search, onChange }: FilterBarProps): ReactNode {
  const active = activeFilters(search).filter((name) => name !== 'q');
  if (active.length === 0) return null;
  const range = rangeOf(search);
  return (
    <ul className="flex flex-wrap items-center gap-1.5" aria-label="Active filters">
      {active.map((name) => (
        <li key={name} className={name === 'status' || name === 'feature' || name === 'model' ? 'sm:hidden' : ''}>
          <button
            type="button"
            className="button button-small max-w-72 bg-accent-soft text-accent"
            onClick={() => onChange(withoutFilter(search, name))}
            aria-label={`Remove filter ${FILTER_LABELS[name]}: ${search[name]}`}
          >
            <span className="truncate">
              {FILTER_LABELS[name]}: <bdi>{String(search[name])}</bdi>
            </span>
            <Icon name="close" className="size-3" />
          </button>
        </li>
      ))}
      <li>
        <button
          type="button"
          className="button button-quiet button-small"
          onClick={() => onChange(range.kind === 'custom' ? { from: range.from, to: range.to } : { range: range.preset })}
        >
          Clear all
        </button>
      </li>
    </ul>
  );
}
