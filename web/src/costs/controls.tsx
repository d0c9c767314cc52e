import { type FormEvent, type ReactNode, useState } from 'react';
import { fromInputValue, toInputValue } from '../format/time.ts';
import { usePreferences } from '../shell/preferences.tsx';
import { type Comparison, type CostGroup, type CostsSearch, GROUP_WORDS, GROUPS } from './costs-search.ts';

export interface TabProps {
  readonly search: CostsSearch;
  readonly change: (next: CostsSearch) => void;
  readonly refetchInterval: number;
}

/** By what the lines of a table are grouped. Of tags, the reader says which. */
export function GroupPicker({
  search,
  change,
  groups = GROUPS,
}: Pick<TabProps, 'search' | 'change'> & { groups?: readonly CostGroup[] }): ReactNode {
  const by = search.by ?? 'feature';
  const [isAskingTag, setIsAskingTag] = useState(false);
  const choose = (value: CostGroup): void => {
    if (value === 'tag') setIsAskingTag(true);
    else {
      setIsAskingTag(false);
      const { by: _by, tag: _tag, ...rest } = search;
      change(value === 'feature' ? rest : { ...rest, by: value });
    }
  };
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const tag = String(new FormData(event.currentTarget).get('tag') ?? '').trim();
    if (tag === '') return;
    setIsAskingTag(false);
    change({ ...search, by: 'tag', tag });
  };
  return (
    <span className="flex items-center gap-2">
      <select
        aria-label="Group by"
        className="field"
        value={isAskingTag ? 'tag' : by}
        onChange={(event) => choose(event.target.value as CostGroup)} // the options below
      >
        {groups.map((group) => (
          <option key={group} value={group}>
            by {group === 'tag' && search.tag !== undefined ? `tag ${search.tag}` : GROUP_WORDS[group]}
          </option>
        ))}
      </select>
      {isAskingTag && (
        <form className="flex gap-1" onSubmit={submit}>
          <input className="field w-32" name="tag" aria-label="Name of the tag" placeholder="segment" maxLength={128} autoComplete="off" />
          <button type="submit" className="button">
            Group
          </button>
        </form>
      )}
    </span>
  );
}

const WORDS: Readonly<Record<Comparison, string>> = {
  week: 'same days last week',
  previous: 'time right before',
  custom: 'another range…',
};

/** With what the range is compared. */
export function ComparisonPicker({ search, change }: Pick<TabProps, 'search' | 'change'>): ReactNode {
  const { zone } = usePreferences();
  const against = search.against ?? 'week';
  const [isAsking, setIsAsking] = useState(false);
  const { against: _against, beforeFrom, beforeTo, ...rest } = search;
  const choose = (value: Comparison): void => {
    setIsAsking(value === 'custom');
    if (value !== 'custom') change(value === 'week' ? rest : { ...rest, against: value });
  };
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    const [from, to] = [data.get('from'), data.get('to')].map((value) => fromInputValue(String(value), zone));
    if (from == null || to == null || from >= to) return;
    setIsAsking(false);
    change({ ...rest, against: 'custom', beforeFrom: from, beforeTo: to });
  };
  const initial = (at: number | undefined): string => (at === undefined ? '' : toInputValue(at, zone));
  return (
    <span className="flex flex-wrap items-center gap-2">
      <select
        aria-label="Compare with"
        className="field"
        value={isAsking ? 'custom' : against}
        onChange={(event) => choose(event.target.value as Comparison)} // the options below
      >
        {(['week', 'previous', 'custom'] as const).map((value) => (
          <option key={value} value={value}>
            against {WORDS[value]}
          </option>
        ))}
      </select>
      {(isAsking || against === 'custom') && (
        <form className="flex flex-wrap items-center gap-1" onSubmit={submit}>
          <input
            type="datetime-local"
            className="field"
            name="from"
            aria-label="Compared range begins"
            required
            defaultValue={initial(beforeFrom)}
          />
          <input
            type="datetime-local"
            className="field"
            name="to"
            aria-label="Compared range ends"
            required
            defaultValue={initial(beforeTo)}
          />
          <button type="submit" className="button">
            Compare
          </button>
        </form>
      )}
    </span>
  );
}
