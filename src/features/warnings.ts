import type { CataloguedFeature } from './model.ts';

/** What is missing for safe operation of a feature, one sentence each; the same for API, dashboard and `plimsoll doctor`. */
export function featureWarnings({
  name,
  owner,
  costOwner,
  route,
  targets,
  unpricedTargets,
  refusedTargets,
  modelNotices,
}: CataloguedFeature): string[] {
  const warnings: string[] = [];
  if (owner === null) warnings.push(`No owner: nobody answers for it. Set features.${name}.owner.`);
  if (costOwner === null) warnings.push(`No cost owner: nobody hears of its spend. Set features.${name}.costOwner.`);
  const usable = targets.filter((target) => !refusedTargets.some(({ model }) => model === target));
  if (refusedTargets.length > 0) {
    const list = refusedTargets.map(({ model, rule }) => `${model} (${rule})`).join(', ');
    warnings.push(`Of route "${route}" it may not use ${list}: no call falls back to them.`);
  }
  if (usable.length === 1) warnings.push(`Route "${route}" has one target: when ${usable[0]} fails, so do its calls. Add a fallback.`);
  if (unpricedTargets.length > 0) warnings.push(`No price is known for ${unpricedTargets.join(', ')}: the cost of those calls is unknown.`);
  warnings.push(...modelNotices);
  return warnings;
}
