import { PlimsollError } from '../../kernel/errors.ts';
import { isObject, type JsonValue } from '../json-value.ts';
import { compactCase, type EvalCase } from '../model.ts';

/** Members of a promptfoo test that we keep as they are. */
const KEPT = ['options', 'threshold', 'provider', 'providers', 'prompts', 'assertScoringFunction'] as const;

/** A member of `tests:` as a case, unread. @throws PlimsollError `invalid_argument` for what only a whole promptfoo configuration can say */
export function fromPromptfooTest(test: { readonly [name: string]: JsonValue }, place: string): JsonValue {
  const refuse = (why: string): never => {
    throw new PlimsollError('invalid_argument', `${place}: ${why}`, { details: { place } });
  };
  const { vars = {}, assert = [], description = null, metadata = {}, providerOutput, plimsoll = {}, ...others } = test;
  if (!isObject(vars)) refuse('vars is no list of names and values; import the file that it names by itself');
  if (!Array.isArray(assert)) refuse('assert must be a list');
  if (!isObject(plimsoll)) refuse('plimsoll must hold members of a case');
  const settings: [string, JsonValue][] = [];
  for (const [name, value] of Object.entries(others)) {
    if (!KEPT.some((kept) => kept === name))
      refuse(
        `a test has no member ${JSON.stringify(name)}; known: vars, assert, description, metadata, providerOutput, ${KEPT.join(', ')}`,
      );
    settings.push([name, value]);
  }
  const recorded = providerOutput === undefined ? {} : { recorded: { output: asText(providerOutput) } };
  const own = plimsoll as { readonly [name: string]: JsonValue }; // checked above
  return {
    ...own,
    description,
    input: { ...(isObject(own.input) ? own.input : {}), variables: vars },
    assertions: assert,
    metadata,
    settings: Object.fromEntries(settings),
    ...recorded,
  };
}

/** The other way: what promptfoo has no word for stands under `plimsoll`, which it ignores. */
export function toPromptfooTest(evalCase: EvalCase): JsonValue {
  const { input, description, assertions, metadata, settings, ...rest } = compactCase(evalCase);
  const { variables = {}, ...otherInput } = isObject(input) ? input : {};
  const own = { ...(Object.keys(otherInput).length > 0 ? { input: otherInput } : {}), ...rest };
  return {
    ...(description === undefined ? {} : { description }),
    vars: variables,
    ...(assertions === undefined ? {} : { assert: assertions }),
    ...(isObject(settings) ? settings : {}),
    ...(metadata === undefined ? {} : { metadata }),
    ...(Object.keys(own).length > 0 ? { plimsoll: own } : {}),
  };
}

export function asText(value: JsonValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
