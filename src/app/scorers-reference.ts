import { z } from 'zod';
import type { ScorerDefinition } from '../evals/scorer.ts';
import { SCORERS } from '../evals/scorers/index.gen.ts';

interface OptionRow {
  readonly description?: string;
  readonly default?: unknown;
}

function escaped(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

function optionsTable({ options }: ScorerDefinition): string {
  // What goes in, not what comes out of a transform.
  const schema = z.toJSONSchema(options, { io: 'input', unrepresentable: 'any' }) as {
    properties?: Record<string, OptionRow>;
    required?: string[];
  };
  const rows = Object.entries(schema.properties ?? {}).map(([name, row]) => {
    const initial = schema.required?.includes(name) ? 'required' : row.default === undefined ? '–' : `\`${JSON.stringify(row.default)}\``;
    return `| \`${name}\` | ${escaped(initial)} | ${escaped(row.description ?? '')} |`;
  });
  return rows.length === 0 ? '' : `\n| option | default | meaning |\n| --- | --- | --- |\n${rows.join('\n')}\n`;
}

function section(scorer: ScorerDefinition): string {
  const [name, ...others] = scorer.names;
  const also = others.length === 0 ? '' : ` Also \`${others.join('`, `')}\`.`;
  const needs = scorer.needs.length === 0 ? '' : ` Needs: ${scorer.needs.join(', ')}.`;
  const direction = scorer.direction === 'lower' ? ' Lower is better.' : '';
  return `## \`${name}\`\n\n${scorer.summary}${also}${direction}${needs}\n\n${scorer.source}\n${optionsTable(scorer)}`;
}

/** Every scorer with its formula, source and options, from the definitions themselves. */
export function scorersReference(notice: string): string {
  const sorted = [...SCORERS].sort((a, b) => a.names[0].localeCompare(b.names[0], 'en'));
  return `${notice}# Scorers

What an assertion can ask of an output. Each type can be turned round as \`not-<type>\`. A score is a value, or *unmeasured* with the reason (there was nothing to tell), or *failed* (it could not
be told); the last two never count as 0. Where a source says promptfoo, its 0.121.20 gives the same verdict on the same output, but for what is said there. An unknown option is an error.

${sorted.map(section).join('\n')}`;
}
