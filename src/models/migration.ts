import { isMap, isPair, isScalar, type Pair, parseDocument, type Scalar, type YAMLMap } from 'yaml';
import { PlimsollError } from '../kernel/errors.ts';

/** Members of a model that speak of its old pin and end with it. */
const OF_THE_OLD_PIN = ['deprecatedAt', 'retiresAt', 'successor'] as const;
const CONTEXT_LINES = 3;

export interface ModelPin {
  readonly provider: string;
  readonly model: string;
}

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

function memberOf(map: YAMLMap, name: string): Pair<Scalar, Scalar> | null {
  const pair = map.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === name);
  return (pair as Pair<Scalar, Scalar> | undefined) ?? null; // keys of a model are scalars with scalar values, which the schema checked
}

function rangeOf(node: Scalar): readonly [number, number] {
  const { range } = node;
  if (range == null) throw new PlimsollError('internal', 'A parsed YAML value has no place in its file');
  return [range[0], range[1]];
}

/** YAML text of a plain word, quoted only where it must be. */
function scalarText(value: string): string {
  return /^[A-Za-z][A-Za-z0-9._/-]*$/.test(value) && !/^(true|false|null|yes|no|on|off)$/i.test(value) ? value : JSON.stringify(value);
}

/** A removal that leaves a well-formed map: the whole line in a block, the member with one comma in a flow. */
function removal(text: string, map: YAMLMap, pair: Pair<Scalar, Scalar>): Edit {
  const [keyStart] = rangeOf(pair.key);
  const end = pair.value === null ? rangeOf(pair.key)[1] : rangeOf(pair.value)[1];
  if (map.flow !== true) {
    const lineEnd = text.indexOf('\n', end);
    return { start: text.lastIndexOf('\n', keyStart - 1) + 1, end: lineEnd < 0 ? text.length : lineEnd + 1, text: '' };
  }
  const before = map.items[map.items.indexOf(pair) - 1] as Pair<Scalar, Scalar> | undefined;
  if (before?.value != null) return { start: rangeOf(before.value)[1], end, text: '' };
  const after = map.items[map.items.indexOf(pair) + 1] as Pair<Scalar, Scalar> | undefined;
  return { start: keyStart, end: after === undefined ? end : rangeOf(after.key)[0], text: '' };
}

/**
 * plimsoll.yaml with one model alias pointed at another version: the two values are replaced where they stand, and what was said of the old
 * version's end is taken out. Everything else keeps its bytes, comments included.
 * @param text a file that `readConfig` took
 * @throws PlimsollError `not_found` for an alias that is not there
 */
export function repinModel(text: string, alias: string, to: ModelPin): string {
  const document = parseDocument(text);
  const map = document.getIn(['models', alias], true);
  if (!isMap(map)) throw new PlimsollError('not_found', `plimsoll.yaml has no models.${alias} of its own lines to change.`);
  const edits: Edit[] = [];
  for (const [name, value] of [
    ['provider', to.provider],
    ['model', to.model],
  ] as const) {
    const pair = memberOf(map, name);
    if (pair?.value == null) continue;
    const [start, end] = rangeOf(pair.value);
    if (pair.value.value !== value) edits.push({ start, end, text: scalarText(value) });
  }
  for (const name of OF_THE_OLD_PIN) {
    const pair = memberOf(map, name);
    if (pair !== null) edits.push(removal(text, map, pair));
  }
  let result = text;
  for (const { start, end, text: replacement } of edits.sort((a, b) => b.start - a.start))
    result = `${result.slice(0, start)}${replacement}${result.slice(end)}`;
  return result;
}

/** An empty line stays empty, as with diff's --suppress-blank-empty: no blanks at line ends. */
function contextLine(line: string): string {
  return line === '' ? '' : ` ${line}`;
}

/** A unified diff (`patch -p0`, `git apply -p0`) of two texts that differ in one region; empty when they do not differ. */
export function unifiedDiff(fileName: string, before: string, after: string): string {
  if (before === after) return '';
  const [old, fresh] = [before.split('\n'), after.split('\n')];
  let head = 0;
  while (head < old.length && head < fresh.length && old[head] === fresh[head]) head++;
  let tail = 0;
  while (tail < old.length - head && tail < fresh.length - head && old[old.length - 1 - tail] === fresh[fresh.length - 1 - tail]) tail++;
  // The empty text behind the last line end is no line.
  const isLast = (lines: readonly string[], index: number): boolean => index === lines.length - 1 && lines[index] === '';
  const from = Math.max(0, head - CONTEXT_LINES);
  const context = (start: number, end: number): string[] => old.slice(start, end).filter((_, index) => !isLast(old, start + index));
  const lead = context(from, head);
  const trail = context(old.length - tail, Math.min(old.length, old.length - tail + CONTEXT_LINES));
  const removed = old.slice(head, old.length - tail);
  const added = fresh.slice(head, fresh.length - tail);
  const count = (lines: number): string => `${from + 1},${lead.length + lines + trail.length}`;
  return [
    `--- ${fileName}`,
    `+++ ${fileName}`,
    `@@ -${count(removed.length)} +${count(added.length)} @@`,
    ...lead.map(contextLine),
    ...removed.map((line) => `-${line}`),
    ...added.map((line) => `+${line}`),
    ...trail.map(contextLine),
    '',
  ].join('\n');
}
