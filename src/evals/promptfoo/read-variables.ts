import { Template } from '../../prompts/templates/template.ts';
import type { TemplateObject } from '../../prompts/templates/values.ts';
import type { JsonValue } from '../scorer.ts';
import type { Findings } from './findings.ts';
import { type Located, plain, readLocated, textOf } from './located.ts';
import { CODE, filePath, hasPattern, kindOf, type SuiteFiles } from './suite-files.ts';

const BINARY: ReadonlySet<string> = new Set(['.png', '.jpg', '.jpeg', '.gif', '.webp', '.pdf', '.mp3', '.wav', '.mp4', '.docx', '.xlsx']);
/** Values of one variable that came from the suite's author, who may name other variables in them. */
export interface VariableValue {
  readonly values: readonly JsonValue[];
  readonly isWritten: boolean;
  readonly place: string;
}

/** Reads one `vars`. Lists are several values (a matrix) unless `isExpanded` is false. */
export function readVariables(
  node: Located | undefined,
  files: SuiteFiles,
  findings: Findings,
  { isWritten, isExpanded }: { readonly isWritten: boolean; readonly isExpanded: boolean },
): Map<string, VariableValue> {
  const read = new Map<string, VariableValue>();
  if (node === undefined || (node.kind === 'scalar' && node.value === null)) return read;
  const paths = textOf(node) === undefined ? null : (filePath(textOf(node) ?? '') ?? textOf(node) ?? '');
  if (paths !== null) {
    for (const path of hasPattern(paths) ? files.find(paths) : [paths]) {
      const text = files.read(path);
      if (text === null) findings.refuse(node.place, `the file "${path}" cannot be read`);
      else
        for (const [name, value] of readVariables(readLocated(text, path), files, findings, { isWritten, isExpanded }))
          read.set(name, value);
    }
    return read;
  }
  if (node.kind !== 'map') {
    findings.refuse(node.place, '"vars" must be an object, or the path of a file with one');
    return read;
  }
  for (const { key, value } of node.members.values()) {
    const one = (item: Located): JsonValue[] => valuesOf(item, files, findings);
    const values = value.kind === 'list' && isExpanded ? value.items.flatMap(one) : value.kind === 'list' ? [plain(value)] : one(value);
    read.set(key, { values, isWritten, place: value.place });
  }
  return read;
}

function valuesOf(node: Located, files: SuiteFiles, findings: Findings): JsonValue[] {
  const path = filePath(textOf(node) ?? '');
  if (path === null) return [plain(node)];
  if (CODE.has(kindOf(path)) || BINARY.has(kindOf(path))) {
    findings.refuse(
      node.place,
      `"${path}" is ${CODE.has(kindOf(path)) ? 'a program' : 'no text'}; variables are read from texts and data only`,
    );
    return [null];
  }
  const found = hasPattern(path) ? files.find(path) : [path];
  if (found.length === 0) findings.refuse(node.place, `no file matches "${path}"`);
  return found.map((one) => {
    const text = files.read(one);
    if (text === null) findings.refuse(node.place, `the file "${one}" cannot be read`);
    if (text === null) return null;
    return ['.yaml', '.yml', '.json'].includes(kindOf(one)) ? JSON.stringify(plain(readLocated(text, one))) : text.trim();
  });
}

/** All combinations of the values, and the author's texts with the names of other variables filled in, once. */
export function* combinations(variables: ReadonlyMap<string, VariableValue>, environment: TemplateObject): Generator<TemplateObject> {
  const entries = [...variables];
  const total = entries.reduce((product, [, { values }]) => product * values.length, 1);
  for (let number = 0; number < total; number++) {
    let rest = number;
    const made: Record<string, JsonValue> = {};
    for (let index = entries.length - 1; index >= 0; index--) {
      const [name, { values }] = entries[index] as [string, VariableValue]; // within the list
      made[name] = values[rest % values.length] ?? null;
      rest = Math.floor(rest / values.length);
    }
    const ordered = Object.fromEntries(entries.map(([name]) => [name, made[name] ?? null]));
    yield filled(ordered, variables, environment);
  }
}

function filled(
  values: Readonly<Record<string, JsonValue>>,
  variables: ReadonlyMap<string, VariableValue>,
  environment: TemplateObject,
): TemplateObject {
  const context = { ...values, env: environment };
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => {
      const { isWritten = false, place = name } = variables.get(name) ?? {};
      // A last line break is the editor's, and breaks prompts in JSON.
      const text = typeof value === 'string' ? value.replace(/\n$/, '') : value;
      return [name, isWritten && typeof text === 'string' && /\{\{|\{%/.test(text) ? new Template(place, text).render(context).text : text];
    }),
  );
}
