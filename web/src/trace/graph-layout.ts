import { type AgentGraph, START_ID } from './agent-graph.ts';

export const NODE_WIDTH = 160;
export const NODE_HEIGHT = 46;
const LAYER_GAP = 80;
const ROW_GAP = 26;
const MARGIN = 28;
/** Sweeps that bring callers and called to one height. */
const SWEEPS = 4;

export interface PlacedNode {
  readonly id: string;
  readonly x: number;
  readonly y: number;
}

export interface PlacedEdge {
  readonly from: string;
  readonly to: string;
  /** Path of an SVG. */
  readonly path: string;
  readonly labelX: number;
  readonly labelY: number;
}

export interface GraphLayout {
  readonly nodes: ReadonlyMap<string, PlacedNode>;
  readonly edges: readonly PlacedEdge[];
  readonly width: number;
  readonly height: number;
}

/** Columns by the least number of calls from the start; rows so that edges cross little. The same graph always looks the same. */
export function layoutGraph({ nodes, edges }: AgentGraph): GraphLayout {
  const layers = layersOf(nodes, edges);
  orderRows(layers, edges);
  const placed = new Map<string, PlacedNode>();
  const rows = Math.max(0, ...layers.map((layer) => layer.length));
  const step = NODE_HEIGHT + ROW_GAP;
  layers.forEach((layer, column) => {
    const top = MARGIN + ((rows - layer.length) * step) / 2;
    for (const [row, id] of layer.entries()) placed.set(id, { id, x: MARGIN + column * (NODE_WIDTH + LAYER_GAP), y: top + row * step });
  });
  const height = 2 * MARGIN + Math.max(0, rows * step - ROW_GAP);
  return {
    nodes: placed,
    edges: edges.flatMap(({ from, to }) => {
      const [source, target] = [placed.get(from), placed.get(to)];
      return source && target ? [{ from, to, ...routeEdge(source, target) }] : [];
    }),
    width: 2 * MARGIN + layers.length * NODE_WIDTH + Math.max(0, layers.length - 1) * LAYER_GAP,
    height: height + MARGIN,
  };
}

function layersOf(nodes: AgentGraph['nodes'], edges: AgentGraph['edges']): string[][] {
  const following = Map.groupBy(edges, ({ from }) => from);
  const seen = new Set<string>();
  const layers: string[][] = [];
  let layer = nodes.some(({ id }) => id === START_ID) ? [START_ID] : [];
  while (layer.length > 0) {
    for (const id of layer) seen.add(id);
    layers.push(layer);
    layer = [...new Set(layer.flatMap((id) => (following.get(id) ?? []).map(({ to }) => to)))].filter((id) => !seen.has(id));
  }
  return layers;
}

/** Moves each node to the mean row of its neighbours in the column before, then after, in turn. */
function orderRows(layers: string[][], edges: AgentGraph['edges']): void {
  const neighbours = new Map<string, string[]>();
  const link = (a: string, b: string): void => void neighbours.set(a, [...(neighbours.get(a) ?? []), b]);
  for (const { from, to } of edges) {
    if (from === to) continue;
    link(from, to);
    link(to, from);
  }
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const isDown = sweep % 2 === 0;
    for (let step = 1; step < layers.length; step++) {
      const place = isDown ? step : layers.length - 1 - step;
      const [layer, beside] = [layers[place], layers[isDown ? place - 1 : place + 1]];
      if (!layer || !beside) continue;
      const rowOf = new Map(beside.map((id, row) => [id, (row + 0.5) / beside.length]));
      const mean = new Map(
        layer.map((id, row) => {
          const rows = (neighbours.get(id) ?? []).flatMap((other) => rowOf.get(other) ?? []);
          return [id, rows.length === 0 ? (row + 0.5) / layer.length : rows.reduce((sum, value) => sum + value, 0) / rows.length];
        }),
      );
      layer.sort((a, b) => (mean.get(a) ?? 0) - (mean.get(b) ?? 0));
    }
  }
}

/** To the right: a curve between the sides. Back, or within a column: a bow below both. To itself: a loop on top. */
function routeEdge(source: PlacedNode, target: PlacedNode): Pick<PlacedEdge, 'path' | 'labelX' | 'labelY'> {
  if (source.id === target.id) {
    const [x, y] = [source.x + NODE_WIDTH / 2, source.y];
    return { path: `M ${x - 22} ${y} C ${x - 34} ${y - 30}, ${x + 34} ${y - 30}, ${x + 22} ${y}`, labelX: x + 30, labelY: y - 14 };
  }
  const middle = NODE_HEIGHT / 2;
  if (target.x > source.x) {
    const [x1, y1] = [source.x + NODE_WIDTH, source.y + middle];
    const [x2, y2] = [target.x, target.y + middle];
    const bend = (x2 - x1) / 2;
    // Near the target: edges of one caller part from each other there.
    const at = 0.62;
    return {
      path: `M ${x1} ${y1} C ${x1 + bend} ${y1}, ${x2 - bend} ${y2}, ${x2} ${y2}`,
      labelX: cubic(x1, x1 + bend, x2 - bend, x2, at),
      labelY: cubic(y1, y1, y2, y2, at) - 5,
    };
  }
  const [x1, y1] = [source.x + NODE_WIDTH / 2 + 14, source.y + NODE_HEIGHT];
  const [x2, y2] = [target.x + NODE_WIDTH / 2 - 14, target.y + NODE_HEIGHT];
  const depth = Math.max(y1, y2) + 34;
  return {
    path: `M ${x1} ${y1} C ${x1} ${depth}, ${x2} ${depth}, ${x2} ${y2}`,
    labelX: (x1 + x2) / 2,
    labelY: cubic(y1, depth, depth, y2, 0.5) + 12,
  };
}

function cubic(a: number, b: number, c: number, d: number, at: number): number {
  const left = 1 - at;
  return left ** 3 * a + 3 * left ** 2 * at * b + 3 * left * at ** 2 * c + at ** 3 * d;
}
