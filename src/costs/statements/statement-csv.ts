import { formatUsd } from '../../kernel/money.ts';
import { csvFile, csvText } from '../csv-file.ts';
import { type Statement, teamsOf } from './statement.ts';

const HEAD = ['Section', 'Month', 'Version', 'Team', 'Feature', 'Customer', 'SharedCost', 'Calls', 'UnpricedCalls', 'CostUsd'];

interface Cells {
  readonly team?: string | null;
  readonly feature?: string;
  readonly customer?: string | null;
  readonly rule?: string;
  readonly calls?: number;
  readonly unpricedCalls?: number;
  readonly picoUsd: string;
}

/**
 * A statement for a spreadsheet, with exact dollars. The sections each add up by themselves: `line` to the cost of the month, `team own` and
 * `team shared` together to that and the fees, `change` to the difference to the version before.
 */
export function statementCsv(statement: Statement): string {
  const { month, version, lines, changes, allocation } = statement;
  const row = (section: string, { team, feature, customer, rule, calls, unpricedCalls, picoUsd }: Cells): string[] => [
    section,
    month,
    `${version}`,
    csvText(team ?? ''),
    csvText(feature ?? ''),
    csvText(customer ?? ''),
    csvText(rule ?? ''),
    `${calls ?? ''}`,
    `${unpricedCalls ?? ''}`,
    formatUsd(BigInt(picoUsd)),
  ];
  return csvFile(HEAD, [
    ...lines.map((line) => row('line', line)),
    ...teamsOf(statement).map(({ team, ownPicoUsd }) => row('team own', { team, picoUsd: ownPicoUsd })),
    ...(allocation?.teams ?? []).flatMap(({ team, shares }) =>
      shares.map(({ rule, picoUsd }) => row('team shared', { team, rule, picoUsd })),
    ),
    ...changes.map(({ differencePicoUsd, ...change }) => row('change', { ...change, picoUsd: differencePicoUsd })),
  ]);
}
