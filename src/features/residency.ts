import { z } from 'zod';

/** Where a model runs. Nothing is guessed from a URL: what is not declared is not known. */
export interface Place {
  readonly region: string | null;
  /** On machines of our own. */
  readonly isSelfHosted: boolean;
}

/** What a feature demands of every place that sees its data. */
export interface Residency {
  /** Null = any region. */
  readonly regions: readonly string[] | null;
  readonly selfHosted: boolean;
}

/** `eu`, `eu-central-1`: parts from the large to the small, so that a demand for a part holds for all below it. */
export const RegionName = z
  .string()
  .max(64)
  .regex(
    /^[a-z0-9]+(-[a-z0-9]+)*$/,
    'a region has small letters and digits in parts joined by "-", the largest first, e.g. eu or eu-central-1',
  );

export const ResidencyConfig = z
  .strictObject({
    regions: z
      .array(RegionName)
      .min(1)
      .max(32)
      .optional()
      .describe('Regions that may see its data; eu allows eu and eu-central-1. A target that declares none is never used'),
    selfHosted: z.boolean().default(false).describe('Only targets that declare selfHosted: true'),
  })
  .superRefine(({ regions, selfHosted }, context) => {
    if (regions === undefined && !selfHosted)
      context.addIssue({ code: 'custom', message: 'demands nothing: name regions, or selfHosted: true' });
  });
export type ResidencyConfig = z.output<typeof ResidencyConfig>;

export function residencyOf(config: ResidencyConfig): Residency {
  return { regions: config.regions ?? null, selfHosted: config.selfHosted };
}

/** Why a place may not see the feature's data, to stand after the target's name in brackets; null when it may. */
export function residencyRefusal({ regions, selfHosted }: Residency, place: Place): string | null {
  if (selfHosted && !place.isSelfHosted) return 'not self-hosted';
  if (regions === null) return null;
  const { region } = place;
  if (region === null) return 'declares no region';
  return regions.some((allowed) => region === allowed || region.startsWith(`${allowed}-`)) ? null : `in ${region}`;
}

/** `regions eu, ch; self-hosted` */
export function describeResidency({ regions, selfHosted }: Residency): string {
  const parts = [
    regions === null ? '' : `${regions.length === 1 ? 'region' : 'regions'} ${regions.join(', ')}`,
    selfHosted ? 'self-hosted' : '',
  ];
  return parts.filter((part) => part !== '').join('; ');
}
