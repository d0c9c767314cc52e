import { z } from 'zod';
import type { KnownScorers } from './promptfoo/read-assertions.ts';
import { findScorer } from './score-with.ts';
import type { ScorerDefinition } from './scorer.ts';

/** The scorers of a registry, as the readers of suites ask for them. */
export function knownScorers(scorers: readonly ScorerDefinition[]): KnownScorers {
  return {
    names: scorers.flatMap(({ names }) => names),
    has: (type) => findScorer(scorers, type) !== null,
    mistakes(type, options) {
      const parsed = findScorer(scorers, type)?.definition.options.safeParse(options);
      return parsed === undefined || parsed.success ? [] : z.prettifyError(parsed.error).split('\n');
    },
  };
}
