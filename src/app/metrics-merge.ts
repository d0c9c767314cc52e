/**
 * Adds up Prometheus texts of several workers: samples with the same name and labels are summed, families keep their first order.
 * An epoch is no amount: of several the newest is shown. Right for counters, histograms and gauges that count things (connections, calls in flight); those are all that a gateway exposes.
 */
export function mergeExpositions(texts: readonly string[]): string {
  const [first = '', ...rest] = texts.filter((text) => text !== '');
  if (rest.length === 0) return first;
  const families = new Map<string, { header: string[]; samples: Map<string, number> }>();
  for (const text of [first, ...rest]) {
    let family: { header: string[]; samples: Map<string, number> } | null = null;
    let name = '';
    for (const line of text.split('\n')) {
      if (line === '') continue;
      if (line.startsWith('# ')) {
        const word = line.split(' ', 3)[2] ?? '';
        if (word !== name || family === null) {
          name = word;
          family = families.get(name) ?? { header: [], samples: new Map() };
          families.set(name, family);
        }
        if (!family.header.includes(line)) family.header.push(line);
        continue;
      }
      const space = line.lastIndexOf(' ');
      const key = line.slice(0, space);
      const value = Number(line.slice(space + 1));
      if (family !== null)
        family.samples.set(
          key,
          name.endsWith('_epoch') ? Math.max(family.samples.get(key) ?? 0, value) : (family.samples.get(key) ?? 0) + value,
        );
    }
  }
  const lines: string[] = [];
  for (const { header, samples } of families.values()) {
    lines.push(...header);
    for (const [key, value] of samples) lines.push(`${key} ${value}`);
  }
  return `${lines.join('\n')}\n`;
}
