import { nearest } from '../../kernel/suggest.ts';
import type { JsonValue } from '../scorer.ts';
import type { SuiteAssertion, SuiteAssertionSet } from '../suite.ts';
import { assertionFromText } from './assertion-text.ts';
import { PROMPTFOO_TYPES, plainType, REFUSED_TYPES, ZERO_THRESHOLD } from './assertion-types.ts';
import type { Findings } from './findings.ts';
import { type Located, type LocatedMap, locate, member, numberOf, plain, readLocated, textOf } from './located.ts';
import { modelOf, type ProviderReading } from './read-providers.ts';
import { CODE, filePath, kindOf } from './suite-files.ts';

/** What the readers must know of the scorers. */
export interface KnownScorers {
  readonly names: readonly string[];
  /** @param type with `not-`, where it has that */
  has(type: string): boolean;
  /** What is wrong with the options, a line each. */
  mistakes(type: string, options: Readonly<Record<string, JsonValue>>): readonly string[];
}

export interface AssertionReading extends ProviderReading {
  readonly scorers: KnownScorers;
  /** Read once: those of `defaultTest` belong to every case. */
  readonly known: WeakMap<Located, Map<string, readonly (SuiteAssertion | SuiteAssertionSet)[]>>;
}

const MODULES: ReadonlySet<string> = new Set(['.js', '.mjs', '.ts', '.mts']);
/** Members that the runner reads; all others belong to the scorer. */
const OF_THE_RUNNER = ['type', 'weight', 'metric', 'provider', 'transform'];
const CODE_MEMBERS: Readonly<Record<string, string>> = {
  contextTransform: 'give the passages as the variable "context"',
};

/** Reads `assert`. @param judge of `options.provider`, for those that name none */
export function readAssertions(
  node: Located | undefined,
  reading: AssertionReading,
  judge: string | null,
  rubricPrompt: JsonValue | null = null,
): readonly (SuiteAssertion | SuiteAssertionSet)[] {
  if (node === undefined || (node.kind === 'scalar' && node.value === null)) return [];
  const key = JSON.stringify([judge, rubricPrompt]);
  const known = reading.known.get(node)?.get(key);
  if (known !== undefined) return known;
  const read = assertionsOf(node, reading, judge, rubricPrompt);
  const byKey = reading.known.get(node) ?? new Map<string, readonly (SuiteAssertion | SuiteAssertionSet)[]>();
  reading.known.set(node, byKey.set(key, read));
  return read;
}

function assertionsOf(
  node: Located,
  reading: AssertionReading,
  judge: string | null,
  rubricPrompt: JsonValue | null,
): (SuiteAssertion | SuiteAssertionSet)[] {
  const { findings } = reading;
  if (node.kind !== 'list') {
    findings.refuse(node.place, '"assert" must be a list');
    return [];
  }
  return node.items.flatMap((entry): (SuiteAssertion | SuiteAssertionSet)[] => {
    const item = entry.kind === 'scalar' && typeof entry.value === 'string' ? locate(assertionFromText(entry.value), entry.place) : entry;
    if (item.kind !== 'map') {
      findings.refuse(entry.place, 'an assertion is an object with "type"');
      return [];
    }
    if (textOf(member(item, 'type')) === 'assert-set') return set(item, reading, judge, rubricPrompt);
    const read = assertion(item, reading, judge, rubricPrompt);
    return read === null ? [] : [read];
  });
}

function set(item: LocatedMap, reading: AssertionReading, judge: string | null, rubricPrompt: JsonValue | null): SuiteAssertionSet[] {
  const { findings } = reading;
  findings.onlyKnown(item, 'assert-set key', ['type', 'assert', 'weight', 'metric', 'threshold', 'config']);
  const assertions = readAssertions(member(item, 'assert'), reading, judge, rubricPrompt).filter((inner) => {
    if (inner.kind === 'set') findings.refuse(inner.place, 'an assert-set cannot hold another one');
    return inner.kind === 'assertion';
  }) as SuiteAssertion[]; // filtered just now
  if (assertions.length === 0 && !findings.isRefused) findings.refuse(item.place, 'the assert-set has no assertions');
  const own = { weight: weightOf(item, findings), metric: textOf(member(item, 'metric')) ?? null };
  return [{ kind: 'set', assertions, ...own, threshold: numberOf(member(item, 'threshold')) ?? null, place: item.place }];
}

function weightOf(item: LocatedMap, findings: Findings): number {
  const node = member(item, 'weight');
  if (node === undefined) return 1;
  const weight = numberOf(node);
  if (weight !== undefined && weight >= 0) return weight;
  findings.refuse(node.place, '"weight" must be a number of 0 or more');
  return 1;
}

function assertion(
  item: LocatedMap,
  reading: AssertionReading,
  judge: string | null,
  rubricPrompt: JsonValue | null,
): SuiteAssertion | null {
  const { findings, scorers } = reading;
  const typeNode = member(item, 'type');
  const type = textOf(typeNode);
  if (type === undefined || typeNode === undefined) {
    findings.refuse(item.place, 'the assertion has no "type"');
    return null;
  }
  const name = plainType(type);
  if (!scorers.has(type)) {
    const reason = Object.hasOwn(REFUSED_TYPES, name) ? REFUSED_TYPES[name] : undefined;
    const close = nearest(name, scorers.names);
    const what = PROMPTFOO_TYPES.has(name)
      ? `assertion "${type}" is not supported`
      : `assertion "${type}" does not exist, in promptfoo neither`;
    findings.refuse(
      typeNode.place,
      `${what}${reason === undefined ? '' : `: ${reason}`}${reason === undefined && close !== null ? `; did you mean "${close}"?` : ''}`,
    );
    return null;
  }
  if (ZERO_THRESHOLD.has(name) && !item.members.has('threshold'))
    findings.warn(typeNode.place, `"${type}" without a threshold: promptfoo takes 0, so that it can never fail; give it one`);
  const options: Record<string, JsonValue> = {};
  for (const { key, keyPlace, value } of item.members.values()) {
    if (OF_THE_RUNNER.includes(key)) continue;
    const refused = Object.hasOwn(CODE_MEMBERS, key) ? CODE_MEMBERS[key] : undefined;
    const path = name === 'javascript' && key === 'value' ? filePath(textOf(value) ?? '') : null;
    if (refused !== undefined) findings.refuse(keyPlace, `"${key}" is not supported: ${refused}`);
    else if (path !== null && MODULES.has(kindOf(path))) Object.assign(options, moduleOf(path, value.place, reading));
    else options[key] = loaded(value, reading);
  }
  if (rubricPrompt !== null && scorers.mistakes(type, { ...options, rubricPrompt }).length === 0) options.rubricPrompt ??= rubricPrompt;
  const mistakes = hasTemplate(options) ? [] : scorers.mistakes(type, options);
  if (mistakes.length > 0) findings.refuse(item.place, `${type}: ${mistakes.map((line) => line.trim().replace(/^✖ /, '')).join(' ')}`);
  const provider = member(item, 'provider');
  const id = textOf(provider) ?? textOf(provider && member(provider, 'id'));
  if (provider !== undefined && id === undefined)
    findings.refuse(provider.place, 'the provider of an assertion is an id, or an object with "id"');
  return {
    kind: 'assertion',
    type,
    options,
    weight: weightOf(item, findings),
    metric: textOf(member(item, 'metric')) ?? null,
    transform: codeOf(member(item, 'transform'), findings),
    judge: (provider === undefined || id === undefined ? undefined : modelOf(id, provider.place, reading)) ?? judge,
    place: typeNode.place,
  };
}

/** Code written into the suite: an expression, or the inside of a function of `output` and `context`. */
export function codeOf(node: Located | undefined, findings: Findings): string | null {
  if (node === undefined) return null;
  const text = textOf(node);
  if (text !== undefined && text.trim() !== '' && filePath(text) === null) return text;
  findings.refuse(node.place, 'a transform is JavaScript written into the suite; files are not run');
  return null;
}

/** The source of a function in a file, for the sandbox; `file.mjs:name` names an export. */
function moduleOf(named: string, place: string, { files, findings }: AssertionReading): Readonly<Record<string, JsonValue>> {
  const [, path = named, exported] = /^(.*?)(?::([A-Za-z_$][\w$]*))?$/.exec(named) ?? [];
  const source = files.read(path);
  if (source === null) findings.refuse(place, `the file "${path}" cannot be read`);
  else if (/\bmodule\.exports\b|\brequire\s*\(|\bexports\.\w+\s*=/.test(source))
    findings.refuse(place, `"${path}" is CommonJS; the sandbox takes ES modules without imports: export default (output, context) => …`);
  return { module: source ?? '', ...(exported === undefined ? {} : { export: exported }) };
}

/** A value, or what the file holds that it names. */
function loaded(node: Located, { files, findings }: AssertionReading): JsonValue {
  const path = filePath(textOf(node) ?? '');
  if (path === null) return plain(node);
  if (CODE.has(kindOf(path))) {
    findings.refuse(node.place, `"${path}" is a program; only "javascript" assertions take one, as an ES module`);
    return null;
  }
  const text = files.read(path);
  if (text === null) {
    findings.refuse(node.place, `the file "${path}" cannot be read`);
    return null;
  }
  return ['.json', '.yaml', '.yml'].includes(kindOf(path)) ? plain(readLocated(text, path)) : text.trim();
}

function hasTemplate(value: JsonValue): boolean {
  return /\{\{|\{%/.test(JSON.stringify(value));
}
