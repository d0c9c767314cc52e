import { lifecycleHeaders, lifecycleWarning } from '../models/lifecycle.ts';
import type { Call } from './call.ts';
import type { CompiledTarget } from './compiled-snapshot.ts';
import { approvalWarning } from './target-policy.ts';

/** Tells the client what is the matter with the model that answers it: an approval that has expired, a retirement that nears. */
export function noteTarget(call: Call, target: CompiledTarget): void {
  const { lifecycle, model } = target;
  if (lifecycle !== null) {
    const warning = lifecycleWarning(lifecycle, call.startedAtMs);
    if (warning !== null) call.warnings.push(`${model} ${warning}`);
    call.answerHeaders.push(...lifecycleHeaders(lifecycle));
  }
  const approval = approvalWarning(call, target);
  if (approval !== null) call.warnings.push(`${model}: ${approval}`);
}
