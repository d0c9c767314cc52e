export const DATASET_TABS = ['cases', 'versions', 'check'] as const;
export type DatasetTab = (typeof DATASET_TABS)[number];
export const PARTS = ['train', 'dev', 'excluded'] as const;
export const PROVENANCES = ['hand', 'trace', 'feedback', 'incident', 'redteam', 'synthetic', 'import'] as const;

/** Search parameters of a dataset's page; what is left out is the default. */
export interface DatasetSearch {
  tab?: Exclude<DatasetTab, 'cases'>;
  /** The newest when left out. */
  version?: number;
  q?: string;
  tag?: string;
  /** `language=de` */
  slice?: string;
  part?: (typeof PARTS)[number];
  provenance?: (typeof PROVENANCES)[number];
  /** Versions that are compared. */
  from?: number;
  to?: number;
}

function oneOf<T extends string>(known: readonly T[], value: unknown): T | undefined {
  return known.find((word) => word === value);
}

function text(value: unknown): string | undefined {
  const found = typeof value === 'string' || typeof value === 'number' ? String(value).trim().slice(0, 256) : '';
  return found === '' ? undefined : found;
}

function count(value: unknown, least: number): number | undefined {
  const number = typeof value === 'string' || typeof value === 'number' ? Number(value) : Number.NaN;
  return Number.isSafeInteger(number) && number >= least ? number : undefined;
}

/** Reads the URL; what makes no sense is dropped. */
export function parseDatasetSearch(search: Readonly<Record<string, unknown>>): DatasetSearch {
  const tab = oneOf(DATASET_TABS, search.tab);
  const slice = text(search.slice);
  const found = {
    tab: tab === 'cases' ? undefined : tab,
    version: count(search.version, 1),
    q: text(search.q),
    tag: text(search.tag),
    slice: slice !== undefined && /^[^=]+=.+$/.test(slice) ? slice : undefined,
    part: oneOf(PARTS, search.part),
    provenance: oneOf(PROVENANCES, search.provenance),
    from: count(search.from, 0),
    to: count(search.to, 1),
  };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
}
