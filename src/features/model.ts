import { z } from 'zod';
import { KpiView } from './kpi-config.ts';
import { FeatureSwitchView } from './switch.ts';

/** A feature as the configuration has it, with its route resolved. */
export interface CataloguedFeature {
  readonly name: string;
  readonly owner: string | null;
  readonly costOwner: string | null;
  readonly description: string | null;
  readonly route: string;
  /** Model aliases of the route in order: the first is primary, the rest are fallbacks. */
  readonly targets: readonly string[];
  readonly payloads: 'full' | 'preview' | 'none';
  /** Targets without a price: their calls are counted and not costed. */
  readonly unpricedTargets: readonly string[];
  /** Targets that a rule of the feature leaves out. */
  readonly refusedTargets: readonly { readonly model: string; readonly rule: string }[];
  /** What is the matter with models of its route, one sentence each. */
  readonly modelNotices: readonly string[];
  /** What its worth is measured by; null = nobody said. */
  readonly kpi: KpiView | null;
}

export const FeatureView = z
  .object({
    name: z.string(),
    owner: z.string().nullable(),
    costOwner: z.string().nullable(),
    description: z.string().nullable(),
    route: z.string(),
    targets: z.array(z.string()).describe('Model aliases in order: the first is primary, the rest are fallbacks'),
    payloads: z.enum(['full', 'preview', 'none']).describe('What is kept of prompts and answers'),
    switch: FeatureSwitchView.nullable().describe('The pause or throttle in force; null = it takes every call'),
    keyCount: z.int().describe('Virtual keys bound to it that work now'),
    kpi: KpiView.nullable().describe('What its worth is measured by; null = nobody said'),
    warnings: z.array(z.string()).describe('What is missing for safe operation, one sentence each'),
  })
  .meta({ id: 'Feature' });
export type FeatureView = z.infer<typeof FeatureView>;

export const FeatureList = z.object({ features: z.array(FeatureView) }).meta({ id: 'FeatureList' });
export type FeatureList = z.infer<typeof FeatureList>;
