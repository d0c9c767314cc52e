/** One line of Prometheus text. */
export interface Sample {
  /** With `_bucket`, `_sum` or `_count` for histograms. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface SampleFamily {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly samples: readonly Sample[];
}

const LABEL = /([A-Za-z_][A-Za-z0-9_]*)="((?:[^"\\]|\\.)*)"/g;

function unescapeLabel(text: string): string {
  return text.replace(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character));
}

function readSample(line: string): Sample | null {
  const space = line.lastIndexOf(' ');
  const brace = line.indexOf('{');
  const value = Number(line.slice(space + 1));
  if (space <= 0 || Number.isNaN(value)) return null;
  if (brace < 0) return { name: line.slice(0, space), labels: {}, value };
  const labels = [...line.slice(brace, space).matchAll(LABEL)].map(([, name = '', text = '']) => [name, unescapeLabel(text)] as const);
  return { name: line.slice(0, brace), labels: Object.fromEntries(labels), value };
}

/** Reads Prometheus text as our own processes write it: HELP, TYPE, then the samples of the family. Lines of no family are left out. */
export function readExposition(text: string): SampleFamily[] {
  const families = new Map<string, { name: string; type: SampleFamily['type']; help: string; samples: Sample[] }>();
  let help = '';
  let current: { samples: Sample[] } | null = null;
  for (const line of text.split('\n')) {
    const [, keyword, name, rest] = /^# (HELP|TYPE) (\S+) ?(.*)$/.exec(line) ?? [];
    if (keyword === 'HELP') help = rest ?? '';
    else if (keyword === 'TYPE' && name !== undefined) {
      const type = rest === 'histogram' || rest === 'counter' ? rest : 'gauge';
      const family = families.get(name) ?? { name, type, help, samples: [] };
      families.set(name, family);
      current = family;
    } else if (current !== null && line !== '' && !line.startsWith('#')) {
      const sample = readSample(line);
      if (sample !== null) current.samples.push(sample);
    }
  }
  return [...families.values()];
}
