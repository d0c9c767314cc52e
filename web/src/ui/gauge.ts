export const DIMENSIONS = ['latency', 'errors', 'cost', 'quality'] as const;
export type Dimension = (typeof DIMENSIONS)[number];

/** How a measured value stands against its line. near = within, but most of what the line allows is used. */
export type Standing = 'within' | 'near' | 'beyond' | 'unclear';

/** Where a feature stands in one dimension. A measured value without a line has nothing to be compared with. */
export type Gauge =
  | { readonly kind: 'unmeasured'; readonly reason: string }
  | { readonly kind: 'noLine'; readonly value: string; readonly what: string }
  | {
      readonly kind: 'line';
      readonly value: string;
      readonly what: string;
      /** The line in words, e.g. `at most 2 s`. */
      readonly line: string;
      readonly standing: Standing;
      /** Share of what the line allows that is used; 1 = at the line. */
      readonly load: number;
    };
export type Gauges = Readonly<Record<Dimension, Gauge>>;
