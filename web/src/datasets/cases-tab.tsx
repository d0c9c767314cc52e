import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { formatCount, formatInteger } from '../format/number.ts';
import { Badge } from '../ui/badges.tsx';
import { Choice } from '../ui/choice.tsx';
import { QueryState, SkeletonRows } from '../ui/query-state.tsx';
import { SearchField } from '../ui/search-field.tsx';
import { type DatasetCase, type DatasetCasePage, datasetCasesQuery } from './dataset-queries.ts';
import { type DatasetSearch, PARTS, PROVENANCES } from './datasets-search.ts';

interface CasesTabProps {
  readonly name: string;
  readonly search: DatasetSearch;
  readonly change: (next: DatasetSearch) => void;
}

const PART_WORDS = { train: 'train', dev: 'dev', excluded: 'in no part' } as const;

export function CasesTab({ name, search, change }: CasesTabProps): ReactNode {
  const cases = useInfiniteQuery(datasetCasesQuery(name, search));
  const set = (member: keyof DatasetSearch) => (value: string) => change({ ...search, [member]: value });
  return (
    <QueryState query={cases} skeleton={<SkeletonRows count={8} height={52} />}>
      {({ pages }) => {
        const [first] = pages;
        if (first === undefined) return null;
        return (
          <div className="flex flex-col gap-3">
            <div className="flex flex-wrap items-center gap-2">
              <SearchField label="Search in cases" value={search.q ?? ''} onSubmit={set('q')} />
              {first.tags.length > 0 && (
                <Choice
                  label="Tag"
                  value={search.tag}
                  options={first.tags.map((each) => [each.name, `${each.name} (${each.count})`])}
                  onChange={set('tag')}
                />
              )}
              {first.slices.length > 0 && (
                <Choice
                  label="Slice"
                  value={search.slice}
                  options={first.slices.map((each) => [`${each.name}=${each.value}`, `${each.name}: ${each.value} (${each.count})`])}
                  onChange={set('slice')}
                />
              )}
              <Choice
                label="From"
                value={search.provenance}
                options={PROVENANCES.map((each) => [each, each === 'redteam' ? 'red team' : each])}
                onChange={set('provenance')}
              />
              {first.parts.dev + first.parts.holdout + first.parts.excluded > 0 && (
                <Choice label="Part" value={search.part} options={PARTS.map((each) => [each, PART_WORDS[each]])} onChange={set('part')} />
              )}
            </div>
            <Counts page={first} />
            <Cases
              cases={pages.flatMap((page) => page.cases)}
              isFiltered={first.matches < first.parts.train + first.parts.dev + first.parts.excluded}
            />
            {cases.hasNextPage && (
              <button
                type="button"
                className="button self-center"
                disabled={cases.isFetchingNextPage}
                onClick={() => void cases.fetchNextPage()}
              >
                {cases.isFetchingNextPage ? 'Reading…' : 'More'}
              </button>
            )}
          </div>
        );
      }}
    </QueryState>
  );
}

function Counts({ page: { matches, parts, version } }: { page: DatasetCasePage }): ReactNode {
  const open = parts.train + parts.dev + parts.excluded;
  return (
    <p className="text-xs text-ink-3">
      Version {formatInteger(version)}:{' '}
      {matches === open ? `${formatCount(open)} open` : `${formatCount(matches)} of ${formatCount(open)} open`}{' '}
      {open === 1 ? 'case' : 'cases'}
      {parts.dev > 0 && `, ${formatCount(parts.dev)} of them dev`}
      {parts.excluded > 0 && `, ${formatCount(parts.excluded)} in no part`}
      {parts.holdout > 0 && `; ${formatCount(parts.holdout)} sealed in the holdout, not shown`}.
    </p>
  );
}

function Cases({ cases, isFiltered }: { cases: readonly DatasetCase[]; isFiltered: boolean }): ReactNode {
  if (cases.length === 0)
    return (
      <p className="panel px-3 py-8 text-center text-ink-3">
        {isFiltered ? 'No case matches these filters.' : 'This version has no open cases.'}
      </p>
    );
  return (
    <ul className="panel overflow-hidden">
      {cases.map((each) => (
        <li key={each.hash} className="border-b last:border-b-0">
          <Case each={each} />
        </li>
      ))}
    </ul>
  );
}

const show = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value, null, 2));

function Case({ each }: { each: DatasetCase }): ReactNode {
  const { id, question, expected, tags, slices, part, provenance, hash, description } = each;
  return (
    <details className="group">
      <summary
        className="grid cursor-pointer grid-cols-[minmax(0,1fr)_auto] items-baseline gap-x-3 gap-y-0.5 px-3 py-2 hover:bg-hover"
        data-row
      >
        <span className="min-w-0">
          <span className="line-clamp-2 break-words group-open:line-clamp-none">
            {id !== null && <span className="mr-1.5 font-medium">{id}</span>}
            {question === '' ? <span className="text-ink-3">no input of its own</span> : question}
          </span>
          <span className="mt-0.5 flex flex-wrap gap-1">
            {tags.map((tag) => (
              <Badge key={tag}>{tag}</Badge>
            ))}
            {Object.entries(slices).map(([name, value]) => (
              <Badge key={name} tip="Slice: checked on its own">
                {name}: {value}
              </Badge>
            ))}
          </span>
        </span>
        <span className="flex flex-col items-end gap-0.5 text-2xs whitespace-nowrap text-ink-3">
          <span>{provenance.kind === 'redteam' ? 'red team' : provenance.kind}</span>
          <span>
            {expected.answer !== null
              ? 'answer'
              : expected.facts.length > 0
                ? 'facts'
                : each.assertions.length > 0
                  ? 'assertions'
                  : 'no expectation'}
          </span>
          {part !== 'train' && <span>{part === 'excluded' ? 'in no part' : part}</span>}
        </span>
      </summary>
      <dl className="grid gap-x-6 gap-y-3 border-t bg-sunken px-3 py-3 lg:grid-cols-2">
        {description !== null && <Text name="Description" value={description} />}
        {each.input.messages.length > 0 && (
          <Text name="Messages" value={each.input.messages.map(({ role, content }) => `${role}: ${show(content)}`).join('\n\n')} />
        )}
        {Object.keys(each.input.variables).length > 0 && <Text name="Variables" value={show(each.input.variables)} />}
        {expected.answer !== null && <Text name="Expected answer" value={expected.answer} />}
        {expected.facts.length > 0 && <Text name="Expected facts" value={expected.facts.map((fact) => `– ${fact}`).join('\n')} />}
        {each.recorded !== null && (
          <Text name="Recorded answer" value={each.recorded.output === '' ? show(each.recorded.toolCalls) : each.recorded.output} />
        )}
        {each.contexts !== null && (
          <Text
            name={`Contexts (${each.contexts.length})`}
            value={each.contexts.map((context) => `${context.id ?? '–'}: ${context.text}`).join('\n\n')}
          />
        )}
        {each.referenceContexts !== null && (
          <Text
            name="Reference contexts"
            value={each.referenceContexts.map((context) => `${context.id ?? '–'}: ${context.text}`).join('\n\n')}
          />
        )}
        {each.assertions.length > 0 && <Text name="Assertions" value={show(each.assertions)} />}
        {Object.keys(each.metadata).length > 0 && <Text name="Metadata" value={show(each.metadata)} />}
        <div className="text-xs text-ink-3">
          <dt className="label mb-1">Provenance</dt>
          <dd className="flex flex-col gap-0.5 break-all">
            {provenance.traceId !== null && (
              <Link
                to="/traces/$traceId"
                params={{ traceId: provenance.traceId }}
                search={provenance.spanId === null ? {} : { span: provenance.spanId }}
                className="link"
              >
                trace {provenance.traceId}
              </Link>
            )}
            {provenance.id !== null && (
              <span>
                {provenance.kind} {provenance.id}
              </span>
            )}
            {provenance.source !== null && <span>{provenance.source}</span>}
            <span>cluster {each.cluster ?? 'of its own'}</span>
            {each.licence !== null && <span>licence {each.licence}</span>}
            <span className="font-mono">{hash}</span>
          </dd>
        </div>
      </dl>
    </details>
  );
}

function Text({ name, value }: { name: string; value: string }): ReactNode {
  return (
    <div className="min-w-0">
      <dt className="label mb-1">{name}</dt>
      <dd>
        <pre className="max-h-60 overflow-auto font-mono text-xs leading-5 break-words whitespace-pre-wrap">{value}</pre>
      </dd>
    </div>
  );
}
