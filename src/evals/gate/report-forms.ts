import type { Comparison, GateReport, Verdict } from './model.ts';

export interface ReportHead {
  readonly suite: string;
  readonly baseline: string;
  readonly candidate: string;
  /** The suite's path, for annotations. */
  readonly file: string;
  /** What a reader must know beside the verdict. */
  readonly remarks: readonly string[];
}

const MARKS: Readonly<Record<Verdict, string>> = { pass: '✔', regressed: '✘', 'not enough evidence': '?' };

export function shownNumber(value: number | null): string {
  if (value === null) return '–';
  if (value !== 0 && Math.abs(value) < 0.0005) return value.toExponential(1);
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(3);
}

export function nameOf({ metric, slice, mayBlock }: Comparison): string {
  const name = slice === null ? metric : `${metric}, ${slice.name} ${slice.value}`;
  return mayBlock ? name : `${name} (informs)`;
}

function signed(value: number | null): string {
  return value === null ? '–' : `${value > 0 ? '+' : ''}${shownNumber(value)}`;
}

/** Worse end first, as the interval is read from left to right: the lower number first. */
function interval(bounds: Comparison['bounds']): string {
  return bounds === null ? '–' : `${signed(Math.min(...bounds))} … ${signed(Math.max(...bounds))}`;
}

/** Of slices, those that say something are shown: worse ones, and those that were not shown to hold where nothing else failed are counted. */
export function terminalReport(report: GateReport, head: ReportHead, columns: number): string {
  const rows = report.comparisons.map((comparison) => [
    `${MARKS[comparison.verdict]} ${nameOf(comparison)}`,
    `${comparison.cases}`,
    shownNumber(comparison.baseline),
    shownNumber(comparison.candidate),
    interval(comparison.bounds),
  ]);
  const titles = ['metric', 'cases', 'before', 'after', 'difference (bounds)'];
  const widths = titles.map((title, column) => Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)));
  const others = widths.slice(1).reduce((sum, width) => sum + width + 2, 0);
  widths[0] = Math.max(12, Math.min(widths[0] ?? 12, columns - others));
  const line = (cells: readonly string[]): string =>
    cells.map((cell, column) => (column === 0 ? fitted(cell, widths[0] ?? 12) : cell.padStart(widths[column] ?? 0))).join('  ');
  const reasons = report.comparisons
    .filter(({ verdict, slice }) => verdict === 'regressed' || (slice === null && verdict !== 'pass'))
    .map((comparison) => wrapped(`${MARKS[comparison.verdict]} ${nameOf(comparison)}: ${comparison.reason}${needed(comparison)}`, columns));
  return [
    `Gate: ${report.verdict.toUpperCase()}`,
    fitted(`${head.suite}: ${head.baseline} → ${head.candidate}`, columns).trimEnd(),
    '',
    line(titles),
    ...rows.map(line),
    ...(reasons.length > 0 ? ['', ...reasons] : []),
    ...[...remarksOf(report), ...head.remarks].map((remark) => wrapped(`note: ${remark}`, columns)),
  ].join('\n');
}

function needed({ verdict, casesNeeded, cases, detectableDrop }: Comparison): string {
  if (verdict !== 'not enough evidence' || casesNeeded === null) return '';
  return ` Detectable with these ${cases} cases: a drop of ${shownNumber(detectableDrop)}; the margin needs about ${casesNeeded} cases.`;
}

export function remarksOf({ onlyInBaseline, onlyInCandidate, smallSlices }: GateReport): string[] {
  return [
    ...(onlyInBaseline.length > 0 ? [`${onlyInBaseline.length} cases are in the baseline only and were not compared.`] : []),
    ...(onlyInCandidate.length > 0 ? [`${onlyInCandidate.length} cases are in the new run only and were not compared.`] : []),
    ...(smallSlices.length > 0
      ? [`Too few cases to be tested: ${smallSlices.map(({ name, value, cases }) => `${name} ${value} (${cases})`).join(', ')}.`]
      : []),
  ];
}

function fitted(text: string, width: number): string {
  return text.length <= width ? text.padEnd(width) : `${text.slice(0, width - 1)}…`;
}

function wrapped(text: string, columns: number): string {
  const lines: string[] = [''];
  for (const word of text.split(' ')) {
    const last = lines.at(-1) ?? '';
    if (last !== '' && last.length + word.length + 1 > columns) lines.push(`  ${word}`);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines.join('\n');
}

/** For a pull-request comment. */
export function markdownReport(report: GateReport, head: ReportHead): string {
  const cell = (text: string): string =>
    text
      .replaceAll('\\', '\\\\')
      .replaceAll('|', '\\|')
      .replaceAll(/[\r\n]+/g, ' ')
      .replaceAll(/[<>`@]/g, (one) => `&#${one.codePointAt(0)};`);
  const rows = report.comparisons.map(
    (comparison) =>
      `| ${MARKS[comparison.verdict]} ${comparison.verdict} | ${cell(nameOf(comparison))} | ${comparison.cases} | ${shownNumber(comparison.baseline)} | ${shownNumber(comparison.candidate)} | ${interval(comparison.bounds)} | ${cell(comparison.reason + needed(comparison))} |`,
  );
  return [
    `### ${MARKS[report.verdict]} Plimsoll gate: ${report.verdict}`,
    '',
    `${cell(head.suite)}: ${cell(head.baseline)} → ${cell(head.candidate)}`,
    '',
    '| verdict | metric | cases | before | after | difference (bounds) | why |',
    '| --- | --- | ---: | ---: | ---: | --- | --- |',
    ...rows,
    ...[...remarksOf(report), ...head.remarks].flatMap((remark) => ['', cell(remark)]),
    '',
  ].join('\n');
}

function xml(text: string): string {
  return (
    text
      .toWellFormed()
      // biome-ignore lint/suspicious/noControlCharactersInRegex: XML 1.0 has no way to write them
      .replaceAll(/[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g, '\uFFFD')
      .replaceAll(/[&<>"]/g, (character) => `&#${character.codePointAt(0)};`)
  );
}

/** A test case per comparison; what regressed is a failure, too little evidence overall is an error. */
export function junitReport(report: GateReport, head: ReportHead): string {
  const failures = report.comparisons.filter(({ verdict, mayBlock }) => mayBlock && verdict === 'regressed').length;
  const isOpen = ({ verdict, slice, mayBlock }: Comparison): boolean => mayBlock && verdict === 'not enough evidence' && slice === null;
  const errors = report.comparisons.filter(isOpen).length;
  const cases = report.comparisons.map((comparison) => {
    const start = `    <testcase classname="${xml(head.suite)}" name="${xml(nameOf(comparison))}"`;
    const message = xml(comparison.reason + needed(comparison));
    if (comparison.mayBlock && comparison.verdict === 'regressed')
      return `${start}>\n      <failure type="regressed" message="${message}"/>\n    </testcase>`;
    if (isOpen(comparison)) return `${start}>\n      <error type="not enough evidence" message="${message}"/>\n    </testcase>`;
    return `${start}/>`;
  });
  const counts = `tests="${cases.length}" failures="${failures}" errors="${errors}"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="plimsoll gate" ${counts}>`,
    `  <testsuite name="${xml(head.suite)}" ${counts}>`,
    ...cases,
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

/** SARIF 2.1.0: a result for each comparison that did not pass. @see https://docs.oasis-open.org/sarif/sarif/v2.1.0/ */
export function sarifReport(report: GateReport, head: ReportHead): unknown {
  const results = report.comparisons
    .filter(({ verdict, slice }) => verdict === 'regressed' || (slice === null && verdict !== 'pass'))
    .map((comparison) => ({
      ruleId: comparison.verdict === 'regressed' ? 'regressed' : 'not-enough-evidence',
      level: !comparison.mayBlock ? 'note' : comparison.verdict === 'regressed' ? 'error' : 'warning',
      message: { text: `${nameOf(comparison)}: ${comparison.reason}${needed(comparison)}` },
      locations: [{ physicalLocation: { artifactLocation: { uri: head.file.replaceAll('\\', '/') }, region: { startLine: 1 } } }],
    }));
  const rules = [
    { id: 'regressed', shortDescription: { text: 'A metric is worse than in the baseline, and not by chance' } },
    { id: 'not-enough-evidence', shortDescription: { text: 'The cases do not show that the margin is kept' } },
  ];
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [{ tool: { driver: { name: 'Plimsoll', informationUri: 'https://plimsoll.dev', rules } }, results }],
  };
}
