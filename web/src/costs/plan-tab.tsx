import { useQuery } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useId } from 'react';
import { featuresQuery } from '../api/queries.ts';
import type { CostPlan } from '../api/schema.ts';
import { approximateUsd } from '../format/money.ts';
import { formatCount, formatInteger, formatPercent } from '../format/number.ts';
import { CopyButton } from '../ui/copy-button.tsx';
import { QueryState, SkeletonRows } from '../ui/query-state.tsx';
import { type Column, Table } from '../ui/table.tsx';
import type { TabProps } from './controls.tsx';
import { planQuery } from './cost-queries.ts';
import { PLAN_FIELDS, type PlanField, type PlanSearch, parsePlanSearch } from './plan-search.ts';
import { Tiles, Usd } from './tiles.tsx';

/** What a load will cost. The form is the address: a plan can be sent to somebody. */
export function PlanTab({ search, change }: TabProps): ReactNode {
  const plan = parsePlanSearch({ ...search });
  const isAsked = Object.keys(plan).length > 0;
  const result = useQuery({ ...planQuery(plan), enabled: isAsked });
  const submit = (next: PlanSearch): void => {
    const { range, from, to, by, tag } = search;
    change({
      tab: 'plan',
      ...(range === undefined ? {} : { range }),
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
      ...(by === undefined ? {} : { by }),
      ...(tag === undefined ? {} : { tag }),
      ...next,
    });
  };
  return (
    <div className="grid items-start gap-3 lg:grid-cols-[19rem_1fr]">
      <PlanForm key={JSON.stringify(plan)} plan={plan} submit={submit} />
      {isAsked ? (
        <QueryState query={result} skeleton={<SkeletonRows count={10} />}>
          {(view) => <Plan view={view} />}
        </QueryState>
      ) : (
        <section className="panel flex flex-col items-start gap-3 p-6">
          <h2 className="text-base font-semibold">What will it cost?</h2>
          <p className="max-w-prose text-ink-2">
            Twelve months, what they depend on, the same load on other models and on own GPUs, and where budgets should sit: from what the
            last 28 days really used, or from a description of what is not there yet.
          </p>
          <button type="button" className="button" onClick={() => submit({ growth: '0' })}>
            Plan with all traces of the last 28 days
          </button>
        </section>
      )}
    </div>
  );
}

const LABELS: Readonly<Record<Exclude<PlanField, 'feature'>, readonly [label: string, hint: string]>> = {
  requestsPerDay: ['Requests a day', 'as in the traces'],
  growth: ['Growth a month', '0.1 = 10 %'],
  models: ['Models and weights', 'sim-small:80, sim-large:20'],
  inputTokens: ['Input tokens', '1200'],
  outputTokens: ['Output tokens', '300'],
  cachedRatio: ['Share of input cached', '0 to 1'],
  gpuHourUsd: ['US dollars a GPU hour', '2.20'],
  gpusPerReplica: ['GPUs of a replica', '1'],
  tokensPerSecond: ['Tokens a second, measured', '5200'],
  utilisation: ['Utilisation', '0.5'],
};

function PlanForm({ plan, submit }: { plan: PlanSearch; submit: (next: PlanSearch) => void }): ReactNode {
  const features = useQuery(featuresQuery);
  const onSubmit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    submit(parsePlanSearch(Object.fromEntries(PLAN_FIELDS.map((field) => [field, data.get(field)]))));
  };
  const field = (name: Exclude<PlanField, 'feature'>): ReactNode => <Field key={name} name={name} value={plan[name] ?? ''} />;
  return (
    <form className="panel flex flex-col gap-3 p-3.5" onSubmit={onSubmit}>
      <fieldset className="flex flex-col gap-2">
        <legend className="mb-1 font-semibold">From real traces</legend>
        <label className="flex flex-col gap-1">
          <span className="text-xs text-ink-2">Feature, last 28 days</span>
          <select className="field" name="feature" defaultValue={plan.feature ?? ''}>
            <option value="">all features</option>
            {(features.data ?? []).map(({ name }) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
            {plan.feature !== undefined && !features.data?.some(({ name }) => name === plan.feature) && (
              <option value={plan.feature}>{plan.feature}</option>
            )}
          </select>
        </label>
        {field('requestsPerDay')}
        {field('growth')}
      </fieldset>
      <fieldset className="flex flex-col gap-2 border-t pt-3">
        <legend className="float-left mb-1 font-semibold">Or described</legend>
        {field('models')}
        <div className="grid grid-cols-2 gap-2">
          {field('inputTokens')}
          {field('outputTokens')}
        </div>
        {field('cachedRatio')}
      </fieldset>
      <fieldset className="flex flex-col gap-2 border-t pt-3">
        <legend className="float-left mb-1 font-semibold">Against own GPUs</legend>
        <div className="grid grid-cols-2 items-end gap-2">
          {field('gpuHourUsd')}
          {field('gpusPerReplica')}
          {field('tokensPerSecond')}
          {field('utilisation')}
        </div>
      </fieldset>
      <button type="submit" className="button button-primary">
        Plan
      </button>
    </form>
  );
}

function Field({ name, value }: { name: Exclude<PlanField, 'feature'>; value: string }): ReactNode {
  const id = useId();
  const [label, hint] = LABELS[name];
  return (
    <span className="flex min-w-0 flex-col gap-1">
      <label htmlFor={id} className="text-xs text-ink-2">
        {label}
      </label>
      <input
        id={id}
        className="field w-full"
        name={name}
        placeholder={hint}
        defaultValue={value}
        autoComplete="off"
        inputMode={name === 'models' ? 'text' : 'decimal'}
        pattern={name === 'models' ? undefined : '-?[0-9]*\\.?[0-9]*'}
      />
    </span>
  );
}

function Plan({ view }: { view: CostPlan }): ReactNode {
  const { basis, months, budgets, selfHosted } = view;
  const [first, , , , , , , , , , , last] = months;
  return (
    <div className="flex min-w-0 flex-col gap-3">
      <p className="text-ink-2">
        From {basis.text}.{basis.calls === null ? ' Described, not measured.' : ''}
      </p>
      <Tiles
        tiles={[
          {
            name: 'First month',
            value: <Usd picoUsd={first?.picoUsd ?? null} />,
            detail: `${formatCount(first?.requests ?? 0)} requests, 30 days`,
          },
          {
            name: 'Twelfth month',
            value: <Usd picoUsd={last?.picoUsd ?? null} />,
            detail: `growth ${formatPercent(view.growthPerMonthRatio)} a month`,
          },
          {
            name: 'A request',
            value: <Usd picoUsd={view.perRequestPicoUsd} />,
            detail: `${formatCount(view.tokensPerRequest)} tokens, mean`,
          },
        ]}
      />
      <Sensitivity view={view} />
      <Table
        caption="All requests on one model"
        rows={view.models}
        columns={MODEL_COLUMNS}
        rowKey={({ model }) => model}
        empty="No other model is configured."
        minWidth={420}
      />
      <p className="-mt-1 text-xs text-ink-3">
        The same tokens on another model. Models count tokens differently and answer at different length: choose what to measure by it.
      </p>
      {selfHosted !== null && <SelfHosted host={selfHosted} />}
      <section className="panel flex flex-col gap-2 p-3.5" aria-labelledby="budgets-of-plan">
        <h2 id="budgets-of-plan" className="font-semibold">
          Where budgets should sit
        </h2>
        <ul className="flex flex-col gap-1">
          {budgets.map(({ period, usd, rule }) => (
            <li key={period} className="flex flex-wrap gap-x-2">
              <span className="tabular font-medium">
                ${usd} a {period}
              </span>
              <span className="text-ink-2">{rule}</span>
            </li>
          ))}
        </ul>
        <pre className="max-w-full overflow-x-auto rounded-md border bg-sunken p-3 font-mono text-xs leading-5">{view.limitsYaml}</pre>
        <CopyButton text={view.limitsYaml} label="Copy limits" className="self-start" />
      </section>
    </div>
  );
}

const MODEL_COLUMNS: readonly Column<CostPlan['models'][number]>[] = [
  { key: 'model', header: 'All requests on', cell: ({ model }) => <span className="font-mono text-xs">{model}</span> },
  {
    key: 'month',
    header: 'First month',
    isNumeric: true,
    cell: ({ monthPicoUsd }) =>
      monthPicoUsd === null ? (
        <span className="text-ink-3 italic" data-tip="It has no price for something that is used: set one under prices.">
          unpriced
        </span>
      ) : (
        <Usd picoUsd={monthPicoUsd} />
      ),
  },
  {
    key: 'difference',
    header: 'Against the plan',
    isNumeric: true,
    cell: ({ differencePicoUsd }) => <Usd picoUsd={differencePicoUsd} sign />,
  },
];

/** One driver at a time, as a bar around the plan. */
function Sensitivity({ view }: { view: CostPlan }): ReactNode {
  const { sensitivity, months } = view;
  const baseOf = (month: number): number => approximateUsd(months[month - 1]?.picoUsd ?? '0');
  const spread = Math.max(
    ...sensitivity.flatMap(({ lowPicoUsd, highPicoUsd, month }) =>
      [lowPicoUsd, highPicoUsd].map((pico) => Math.abs(approximateUsd(pico) - baseOf(month))),
    ),
    1e-12,
  );
  return (
    <section className="panel p-3.5" aria-labelledby="sensitivity">
      <h2 id="sensitivity" className="mb-1 font-semibold">
        What it depends on
      </h2>
      <table className="w-full">
        <caption className="sr-only">Cost of the month when one driver is less or more</caption>
        <tbody>
          {sensitivity.map(({ driver, step, lowPicoUsd, highPicoUsd, month }) => {
            const ends = [lowPicoUsd, highPicoUsd].map((pico) => 50 + ((approximateUsd(pico) - baseOf(month)) / spread) * 50);
            const [from, to] = [Math.min(...ends), Math.max(...ends)];
            return (
              <tr key={driver}>
                <th scope="row" className="h-7 pr-3 text-left font-normal">
                  {step}
                  {month > 1 && <span className="text-ink-3"> (month {month})</span>}
                </th>
                <td className="tabular pr-2 text-right">
                  <Usd picoUsd={lowPicoUsd} />
                </td>
                <td className="hidden w-2/5 sm:table-cell" aria-hidden="true">
                  <span className="relative block h-3">
                    <span
                      className="absolute inset-y-0 rounded-[2px] bg-chart-1"
                      style={{ left: `${from}%`, width: `${to - from}%`, minWidth: 2 }}
                    />
                    <span className="absolute inset-y-0 left-1/2 w-px bg-ink" />
                  </span>
                </td>
                <td className="tabular pl-2 text-right">
                  <Usd picoUsd={highPicoUsd} />
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}

function SelfHosted({ host }: { host: NonNullable<CostPlan['selfHosted']> }): ReactNode {
  const { breakEvenRequestsPerMonth: even, replicas } = host;
  return (
    <section className="flex flex-col gap-2" aria-labelledby="self-hosted">
      <h2 id="self-hosted" className="font-semibold">
        Against own GPUs
      </h2>
      <Tiles
        tiles={[
          { name: 'A million tokens', value: <Usd picoUsd={host.perMillionTokensPicoUsd} />, detail: 'at this throughput and utilisation' },
          {
            name: 'A month',
            value: <Usd picoUsd={host.monthPicoUsd} />,
            detail: `${formatInteger(replicas)} ${replicas === 1 ? 'replica' : 'replicas'}, 730 hours`,
          },
          { name: 'Against the plan', value: <Usd picoUsd={host.differencePicoUsd} sign />, detail: 'the first month' },
          {
            name: 'Break-even',
            value: even === null ? 'never' : formatCount(even),
            detail: even === null ? 'a full replica costs more per request' : 'requests a month; from there on cheaper',
          },
        ]}
      />
    </section>
  );
}
