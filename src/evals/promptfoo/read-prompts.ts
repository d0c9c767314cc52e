import { parse } from 'yaml';
import { PlimsollError } from '../../kernel/errors.ts';
import type { SuitePrompt } from '../suite.ts';
import { readCsv } from './csv-rows.ts';
import type { Findings } from './findings.ts';
import { type Located, member, textOf } from './located.ts';
import { readPrompt } from './prompt-template.ts';
import { CODE, filePath, hasPattern, kindOf, type SuiteFiles } from './suite-files.ts';

const FILES: ReadonlySet<string> = new Set(['.txt', '.md', '.j2', '.json', '.jsonl', '.csv', '.yaml', '.yml']);
const SHORT = 60;

interface Draft {
  readonly source: string;
  readonly label: string;
  readonly place: string;
}

/** Reads `prompts`. A prompt that cannot be read is refused in the findings; the others are given. */
export function readPrompts(node: Located | undefined, files: SuiteFiles, findings: Findings): SuitePrompt[] {
  const drafts: Draft[] = [];
  for (const entry of node === undefined ? [] : node.kind === 'list' ? node.items : [node]) {
    if (entry.kind === 'map' && !['id', 'raw', 'label', 'path'].some((key) => entry.members.has(key)))
      // The older form: path → label.
      for (const { key, keyPlace, value } of entry.members.values())
        drafts.push(...fromText(key, textOf(value) ?? null, keyPlace, files, findings));
    else drafts.push(...draftsOf(entry, files, findings));
  }
  const prompts: SuitePrompt[] = [];
  const labels = new Set<string>();
  for (const { source, label, place } of drafts) {
    let unique = label;
    for (let number = 2; labels.has(unique); number++) unique = `${label} (${number})`;
    labels.add(unique);
    try {
      prompts.push(readPrompt(source, unique, place));
    } catch (error) {
      if (!(error instanceof PlimsollError)) throw error;
      const [, at = place, message = error.message] = /^(.*?:\d+:\d+): ([\s\S]*)$/.exec(error.message) ?? [];
      findings.refuse(at, message);
    }
  }
  return prompts;
}

function draftsOf(entry: Located, files: SuiteFiles, findings: Findings): Draft[] {
  if (entry.kind === 'scalar' && typeof entry.value === 'string') return fromText(entry.value, null, entry.place, files, findings);
  if (entry.kind !== 'map') {
    findings.refuse(entry.place, 'a prompt is a text, a file:// path or an object with "id" or "raw"');
    return [];
  }
  findings.onlyKnown(entry, 'prompt key', ['id', 'raw', 'label', 'path', 'display'], {
    function: 'prompt functions are programs; write the prompt as a template',
    config: 'a model’s parameters belong to the provider',
  });
  const label = textOf(member(entry, 'label')) ?? textOf(member(entry, 'display')) ?? null;
  const raw = member(entry, 'raw');
  if (raw !== undefined) return [{ source: textOf(raw) ?? '', label: label ?? shortened(textOf(raw) ?? ''), place: raw.place }];
  const path = member(entry, 'path') ?? member(entry, 'id');
  const text = textOf(path);
  if (path !== undefined && text !== undefined) return fromText(text, label, path.place, files, findings);
  findings.refuse(entry.place, 'the prompt has neither "id" nor "raw"');
  return [];
}

function fromText(text: string, label: string | null, place: string, files: SuiteFiles, findings: Findings): Draft[] {
  const named = filePath(text);
  const isPath = named !== null || (!text.includes('\n') && (FILES.has(kindOf(text)) || CODE.has(kindOf(text))) && !/\s/.test(text));
  if (/^(exec:|https?:|langfuse:|portkey:|helicone:|package:)/.test(text)) {
    findings.refuse(place, `prompts from "${text.slice(0, text.indexOf(':') + 1)}" are not supported`);
    return [];
  }
  if (!isPath) return [{ source: text, label: label ?? shortened(text), place }];
  const path = named ?? text;
  if (CODE.has(kindOf(path))) {
    findings.refuse(place, `"${path}" is a program: prompt functions are not run; write the prompt as a template (.txt, .json, .md)`);
    return [];
  }
  const paths = hasPattern(path) ? files.find(path) : [path];
  if (paths.length === 0) findings.refuse(place, `no file matches "${path}"`);
  return paths.flatMap((one) => fromFile(one, label, place, files, findings));
}

function fromFile(path: string, label: string | null, place: string, files: SuiteFiles, findings: Findings): Draft[] {
  const text = files.read(path);
  if (text === null) {
    findings.refuse(place, `the file "${path}" cannot be read`);
    return [];
  }
  const name = label ?? path;
  const parts = (sources: readonly { source: string; line: number }[]): Draft[] =>
    sources
      .filter(({ source }) => source.trim() !== '')
      .map(({ source, line }, index, all) => ({
        source: source.trim(),
        label: all.length === 1 ? name : `${name} #${index + 1}`,
        place: line === 1 ? path : `${path}#${index + 1}`,
      }));
  switch (kindOf(path)) {
    case '.txt':
      return parts(text.split('---').map((source, index) => ({ source, line: index + 1 })));
    case '.jsonl':
      return parts(text.split('\n').map((source, index) => ({ source, line: index + 1 })));
    case '.csv': {
      const rows = [...readCsv(text, path)];
      const head = rows[0]?.cells.map((cell) => cell.trim().toLowerCase()) ?? [];
      const column = Math.max(0, head.indexOf('prompt'));
      return parts((head.includes('prompt') ? rows.slice(1) : rows).map(({ cells, line }) => ({ source: cells[column] ?? '', line })));
    }
    case '.yaml':
    case '.yml':
      return [{ source: JSON.stringify(parse(text, { maxAliasCount: 0 })), label: name, place: path }];
    default:
      return [{ source: text, label: name, place: path }];
  }
}

function shortened(text: string): string {
  const line = text.trim().replaceAll(/\s+/g, ' ');
  return line.length <= SHORT ? line : `${line.slice(0, SHORT - 1)}…`;
}
