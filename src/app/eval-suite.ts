import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { functionBody } from '../evals/function-body.ts';
import { knownScorers } from '../evals/known-scorers.ts';
import { diskFiles } from '../evals/promptfoo/disk-files.ts';
import type { Finding } from '../evals/promptfoo/findings.ts';
import type { ScoreAssertion, TransformOutput } from '../evals/runner/score-case.ts';
import { failed } from '../evals/score.ts';
import { findScorer, scoreWith } from '../evals/score-with.ts';
import type { ScriptRunner } from '../evals/scorer.ts';
import { SCORERS } from '../evals/scorers/index.gen.ts';
import { type ReadSuite, readSuite } from '../evals/suite-file.ts';
import { PlimsollError } from '../kernel/errors.ts';

/** `--map "openai:gpt-4o=support-large"` → what a provider id stands for. @throws PlimsollError `invalid_argument` */
export function parseModelMap(entries: readonly string[]): Map<string, string> {
  return new Map(
    entries.map((entry) => {
      const at = entry.lastIndexOf('=');
      if (at <= 0 || at === entry.length - 1)
        throw new PlimsollError('invalid_argument', `--map "${entry}": write <provider id>=<model or route>, e.g. openai:gpt-4o=support`);
      return [entry.slice(0, at), entry.slice(at + 1)] as const;
    }),
  );
}

export interface OpenedSuite extends ReadSuite {
  readonly path: string;
}

/**
 * @param name a path, or the name of a file in `evals/`
 * @param models what the gateway has; null = not known, every name is taken as it is
 * @throws PlimsollError `not_found`, `invalid_argument`
 */
export function openSuite(name: string, models: ReadonlySet<string> | null, map: ReadonlyMap<string, string>): OpenedSuite {
  const candidates = /[/\\]|\.(ya?ml|json|[cm]?[jt]s)$/i.test(name)
    ? [name]
    : [join('evals', `${name}.yaml`), join('evals', `${name}.yml`), name];
  for (const path of candidates) {
    let text: string;
    try {
      text = readFileSync(path, 'utf8');
    } catch {
      continue;
    }
    const resolve = (id: string, model: string): string | null => {
      const mapped = map.get(id) ?? map.get(model);
      if (mapped !== undefined) return mapped;
      return models === null || models.has(model) ? model : models.has(id) ? id : null;
    };
    const read = readSuite(text, path, { files: diskFiles(dirname(path)), scorers: knownScorers(SCORERS), resolve });
    return { ...read, path };
  }
  throw new PlimsollError('not_found', `There is no suite "${name}" (looked at ${candidates.join(', ')})`);
}

const ORDER: Readonly<Record<Finding['severity'], number>> = { refused: 0, warning: 1, note: 2 };

export function findingsText(findings: readonly Finding[]): string {
  return [...findings]
    .sort((a, b) => ORDER[a.severity] - ORDER[b.severity])
    .map(({ severity, place, message }) => `${place}: ${severity}: ${message}`)
    .join('\n');
}

/** Scores with the registry. @param scripts for the code of `javascript` assertions */
export function registryScore(scripts: ScriptRunner): ScoreAssertion {
  return async (type, options, subject, tools) => {
    const found = findScorer(SCORERS, type);
    return found === null ? failed(`There is no scorer "${type}".`) : scoreWith(found, options, subject, { ...tools, scripts });
  };
}

/** Runs transforms of a suite. */
export function sandboxTransform(scripts: ScriptRunner): TransformOutput {
  return async (code, output, context) => {
    const reply = await scripts.run({ kind: 'body', source: functionBody(code), exportName: null, output, context });
    if (reply.state !== 'returned')
      throw new PlimsollError('invalid_argument', `The transform ${reply.state === 'threw' ? 'threw' : 'was stopped'}: ${reply.message}`);
    return typeof reply.value === 'string' ? reply.value : JSON.stringify(reply.value);
  };
}

/** In [0, 1). */
export function jitter(): number {
  return randomInt(2 ** 32) / 2 ** 32;
}
