import { stringify } from 'yaml';
import { z } from 'zod';
import type { JsonValue } from '../json-value.ts';
import { compactCase, type EvalCase } from '../model.ts';
import { toPromptfooTest } from './promptfoo.ts';
import { writePromptfooCsv } from './promptfoo-csv.ts';
import { toDeepEvalRow, toRagasRow } from './rows.ts';

export const ExportFormat = z.enum(['yaml', 'jsonl', 'csv', 'promptfoo', 'ragas', 'deepeval']);
export type ExportFormat = z.infer<typeof ExportFormat>;

export const EXPORT_FILES = {
  yaml: { ending: 'yaml', type: 'application/yaml; charset=utf-8' },
  jsonl: { ending: 'jsonl', type: 'application/x-ndjson; charset=utf-8' },
  csv: { ending: 'csv', type: 'text/csv; charset=utf-8' },
  promptfoo: { ending: 'promptfoo.yaml', type: 'application/yaml; charset=utf-8' },
  ragas: { ending: 'ragas.jsonl', type: 'application/x-ndjson; charset=utf-8' },
  deepeval: { ending: 'deepeval.json', type: 'application/json; charset=utf-8' },
} as const satisfies Record<ExportFormat, { ending: string; type: string }>;

export interface FileHead {
  readonly name?: string;
  readonly version?: number;
}

function yaml(value: JsonValue): string {
  return stringify(value, { lineWidth: 0, aliasDuplicateObjects: false, blockQuote: 'literal', defaultStringType: 'PLAIN' });
}

/** A block per case with an empty line between, so that a change of one case is a change of its lines alone. The same cases always give the same bytes. */
export function writeYaml(cases: readonly EvalCase[], head: FileHead = {}): string {
  const top = Object.keys(head).length === 0 ? '' : `${yaml({ ...head })}\n`;
  if (cases.length === 0) return `${top}cases: []\n`;
  return `${top}cases:\n${cases.map((each) => listItem(compactCase(each))).join('\n')}`;
}

function listItem(value: JsonValue): string {
  // Of a list of one: the writer's own indentation, which long texts depend on.
  return yaml({ cases: [value] }).replace(/^cases:\n/, '');
}

/** `yaml`, `jsonl`, `csv` and `promptfoo` lose nothing; `ragas` and `deepeval` hold what those tools have columns for. */
export function writeCases(cases: readonly EvalCase[], format: ExportFormat, head: FileHead = {}): string {
  const eachLine = (values: readonly JsonValue[]): string => values.map((value) => `${JSON.stringify(value)}\n`).join('');
  switch (format) {
    case 'yaml':
      return writeYaml(cases, head);
    case 'jsonl':
      return eachLine(cases.map(compactCase));
    case 'csv':
      return writePromptfooCsv(cases);
    case 'promptfoo':
      return yaml({ tests: cases.map(toPromptfooTest) });
    case 'ragas':
      return eachLine(cases.map(toRagasRow));
    case 'deepeval':
      return `${JSON.stringify(cases.map(toDeepEvalRow), null, 2)}\n`;
  }
}
