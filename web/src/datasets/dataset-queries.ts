import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';
import type { CaseCheck } from '../../../src/datasets/check.ts';
import { api, unwrap } from '../api/client.ts';
import type { components } from '../api/openapi.gen.ts';
import type { DatasetSearch } from './datasets-search.ts';

type Schemas = components['schemas'];
export type Dataset = Schemas['Dataset'];
export type DatasetDetail = Schemas['DatasetDetail'];
export type DatasetCase = Schemas['DatasetCase'];
export type DatasetCasePage = Schemas['DatasetCasePage'];
export type DatasetDiff = Schemas['DatasetDiff'];
export type DatasetSaved = Schemas['DatasetSaved'];
export type CaseDrafts = Schemas['CaseDrafts'];

export const datasetsQuery = queryOptions({
  queryKey: ['datasets'],
  queryFn: async ({ signal }) => (await unwrap<{ datasets: Dataset[] }>(api.GET('/api/v1/datasets', { signal }))).datasets,
});

export function datasetQuery(name: string) {
  return queryOptions({
    queryKey: ['datasets', name],
    queryFn: ({ signal }) => unwrap<DatasetDetail>(api.GET('/api/v1/datasets/{name}', { params: { path: { name } }, signal })),
  });
}

export function datasetCasesQuery(name: string, { version, q, tag, slice, part, provenance }: DatasetSearch) {
  const filter = {
    ...(version === undefined ? {} : { version }),
    ...(q === undefined ? {} : { q }),
    ...(tag === undefined ? {} : { tag }),
    ...(slice === undefined ? {} : { slice }),
    ...(part === undefined ? {} : { part }),
    ...(provenance === undefined ? {} : { provenance }),
  };
  return infiniteQueryOptions({
    queryKey: ['datasets', name, 'cases', filter],
    initialPageParam: undefined as number | undefined,
    queryFn: ({ signal, pageParam }) => {
      const query = { ...filter, limit: 50, ...(pageParam === undefined ? {} : { cursor: pageParam }) };
      return unwrap<DatasetCasePage>(api.GET('/api/v1/datasets/{name}/cases', { params: { path: { name }, query }, signal }));
    },
    getNextPageParam: (page) => page.nextCursor ?? undefined,
    placeholderData: keepPreviousData,
  });
}

export function datasetDiffQuery(name: string, from: number, to: number) {
  return queryOptions({
    queryKey: ['datasets', name, 'diff', from, to],
    queryFn: ({ signal }) =>
      unwrap<DatasetDiff>(api.GET('/api/v1/datasets/{name}/diff', { params: { path: { name }, query: { from, to } }, signal })),
    enabled: to > 0,
  });
}

export function datasetCheckQuery(name: string, version: number | undefined) {
  return queryOptions({
    queryKey: ['datasets', name, 'check', version ?? 'newest'],
    queryFn: ({ signal }) =>
      unwrap<CaseCheck & { readonly version: number }>(
        api.GET('/api/v1/datasets/{name}/check', { params: { path: { name }, query: version === undefined ? {} : { version } }, signal }),
      ),
  });
}

export function caseDraftsQuery(query: Readonly<Record<string, string | number>>) {
  return queryOptions({
    queryKey: ['case-drafts', query],
    queryFn: ({ signal }) => unwrap<CaseDrafts>(api.GET('/api/v1/case-drafts', { params: { query }, signal })),
    retry: false,
  });
}
