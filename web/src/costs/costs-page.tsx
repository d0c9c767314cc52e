import { getRouteApi, Link } from '@tanstack/react-router';
import { type ComponentType, type ReactNode, useEffect, useRef } from 'react';
import { PageHeader } from '../shell/page-header.tsx';
import { useParsedSearch } from '../shell/search.ts';
import { AnomaliesTab } from './anomalies-tab.tsx';
import { BudgetsTab } from './budgets-tab.tsx';
import { ChangesTab } from './changes-tab.tsx';
import type { TabProps } from './controls.tsx';
import { type CostsSearch, type CostTab, parseCostsSearch, TABS } from './costs-search.ts';
import { InvoicesTab } from './invoices-tab.tsx';
import { PlanTab } from './plan-tab.tsx';
import { StatementsTab } from './statements-tab.tsx';
import { UnitsTab } from './units-tab.tsx';
import { WasteTab } from './waste-tab.tsx';

const route = getRouteApi('/shell/costs');
/** Costs are days and months, and their questions read many calls: they are asked again at the pace of a minute. */
const REFETCH_MS = 60_000;

const VIEWS: Readonly<Record<CostTab, { readonly name: string; readonly Tab: ComponentType<TabProps> }>> = {
  changes: { name: 'What changed', Tab: ChangesTab },
  units: { name: 'Unit economics', Tab: UnitsTab },
  budgets: { name: 'Budgets', Tab: BudgetsTab },
  anomalies: { name: 'Anomalies', Tab: AnomaliesTab },
  waste: { name: 'Waste and savings', Tab: WasteTab },
  statements: { name: 'Statements', Tab: StatementsTab },
  invoices: { name: 'Invoices', Tab: InvoicesTab },
  plan: { name: 'Plan', Tab: PlanTab },
};

export function CostsPage(): ReactNode {
  const search = useParsedSearch(route.useSearch(), parseCostsSearch);
  const navigate = route.useNavigate();
  const current = search.tab ?? 'changes';
  const { Tab } = VIEWS[current];
  const views = useRef<HTMLElement>(null);
  // On a phone the tabs scroll: the one that is open is to be seen.
  useEffect(() => {
    views.current?.querySelector(`[data-tab=${current}]`)?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [current]);
  return (
    <>
      <PageHeader title="Costs" />
      <nav ref={views} aria-label="Views" className="scroll-x mb-3 flex gap-4 border-b print:hidden">
        {TABS.map((tab) => (
          <Link
            key={tab}
            to="/costs"
            data-tab={tab}
            search={tabSearch(search, tab)}
            aria-current={tab === current ? 'page' : undefined}
            className={`-mb-px border-b-2 pb-1.5 whitespace-nowrap ${tab === current ? 'border-accent font-semibold' : 'border-transparent text-ink-2 hover:text-ink'}`}
          >
            {VIEWS[tab].name}
          </Link>
        ))}
      </nav>
      <Tab search={search} change={(next) => void navigate({ search: parseCostsSearch({ ...next }) })} refetchInterval={REFETCH_MS} />
    </>
  );
}

/** The range and the grouping go with the reader from tab to tab; what is open in a tab does not. */
function tabSearch(search: CostsSearch, tab: CostTab): CostsSearch {
  return parseCostsSearch({ ...search, tab, state: undefined, month: undefined, version: undefined, team: undefined, invoice: undefined });
}
