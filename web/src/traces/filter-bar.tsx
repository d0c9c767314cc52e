import { useQuery } from '@tanstack/react-query';
import type { FormEvent, ReactNode } from 'react';
import { featuresQuery, summaryQuery } from '../api/queries.ts';
import { type Range, rangeOf } from '../range/range.ts';
import { Icon } from '../shell/icons.tsx';
import { Choice } from '../ui/choice.tsx';
import { Popover } from '../ui/popover.tsx';
import { SearchField } from '../ui/search-field.tsx';
import { activeFilters, FILTER_LABELS, type Filters, parseTracesSearch, STATUSES, type TracesSearch, withoutFilter } from './filters.ts';
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
            featureNames={featureNames}
            modelNames={modelNames}
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

const FORM_FIELDS = [
  'status',
  'feature',
  'model',
  'provider',
  'route',
  'errorType',
  'user',
  'session',
  'team',
  'traceId',
  'minDurationMs',
  'minCostUsd',
] as const satisfies readonly (keyof Filters)[];

interface FilterFormProps {
  readonly search: TracesSearch;
  readonly featureNames: readonly string[];
  readonly modelNames: readonly string[];
  readonly onSubmit: (search: TracesSearch) => void;
}

function FilterForm({ search, featureNames, modelNames, onSubmit }: FilterFormProps): ReactNode {
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const values = Object.fromEntries(FORM_FIELDS.map((name) => [name, form.get(name)]));
    onSubmit(parseTracesSearch({ ...search, ...values }));
  };
  return (
    <form className="grid w-80 max-w-full grid-cols-2 gap-x-3 gap-y-2.5" onSubmit={submit}>
      {FORM_FIELDS.map((name) => (
        // biome-ignore lint/a11y/noLabelWithoutControl: the control is one of two, below
        <label key={name} className={`flex min-w-0 flex-col gap-1 ${name === 'traceId' ? 'col-span-2' : ''}`}>
          <span className="label">{FILTER_LABELS[name]}</span>
          {name === 'status' ? (
            <select className="field" name={name} defaultValue={search.status ?? ''}>
              <option value="">all</option>
              {STATUSES.map((status) => (
                <option key={status} value={status}>
                  {STATUS_WORDS[status].word}
                </option>
              ))}
            </select>
          ) : (
            <input
              className="field"
              name={name}
              defaultValue={search[name] ?? ''}
              maxLength={512}
              autoComplete="off"
              spellCheck={false}
              {...(name === 'minDurationMs' || name === 'minCostUsd' ? { type: 'number', min: 0, step: 'any' } : {})}
              {...(name === 'feature' || name === 'model' ? { list: `filter-${name}` } : {})}
            />
          )}
        </label>
      ))}
      <datalist id="filter-feature">
        {featureNames.map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      <datalist id="filter-model">
        {modelNames.map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      <button type="submit" className="button button-primary col-span-2 mt-1">
        Apply
      </button>
    </form>
  );
}
