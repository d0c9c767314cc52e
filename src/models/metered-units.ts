/**
 * What is sold by the piece and not by the token. `inputImageTokens` are tokens at a price of their own, which the classes of `Usage` do not
 * tell apart.
 */
export const METERED_UNITS = ['characters', 'seconds', 'images', 'searches', 'inputImageTokens'] as const;
export type MeteredUnit = (typeof METERED_UNITS)[number];

/** Whole pieces of one call; absent = not measured. */
export type MeteredUnits = Readonly<Partial<Record<MeteredUnit, number>>>;

/** Pico-dollars a piece, as decimal integers; absent = not sold by this piece. */
export type UnitPrices = Readonly<Partial<Record<MeteredUnit, string>>>;
