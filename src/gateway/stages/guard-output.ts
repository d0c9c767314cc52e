import { PlimsollError } from '../../kernel/errors.ts';
import type { OutputValidation } from '../../traces/call-record.ts';
import type { Call } from '../call.ts';
import type { CompiledTarget } from '../compiled-snapshot.ts';
import type { GatewayContext } from '../gateway-context.ts';
import { judgeOutput, type OutputJudgement } from '../output/output-rules.ts';
import { canRepair, repairMessages } from '../output/repair.ts';
import { UpstreamAttempt } from '../upstream-attempt.ts';

/** The target that gave the answer. */
function answeringTarget(call: Call): CompiledTarget | null {
  const model = call.attempts.findLast(({ status }) => status === 'ok')?.model;
  return call.targets.find((target) => target.model === model) ?? null;
}

/**
 * Asks the target that answered once more, with its answer and what is wrong with it. The attempt is recorded and paid like any other.
 * @returns the judgement of the new answer; null when it could not be asked or gave none
 */
async function repair(call: Call, judgement: OutputJudgement, context: GatewayContext): Promise<OutputJudgement | null> {
  const target = answeringTarget(call);
  const messages = repairMessages(judgement);
  if (target === null || messages === null || call.stopReason !== null || call.isAbandoned) return null;
  if (!canRepair(target.endpointFor(call.dialect.name))) return null;
  const { answer, texts } = call;
  call.repair = messages;
  const error = await new UpstreamAttempt(call, target, context, null, 'repair').run();
  call.repair = null;
  if (error === null) return judgeOutput(call, context.outputSchemas);
  // The first answer is what there is.
  call.answer = answer;
  call.texts = texts;
  if (error.code === 'client_closed') throw error;
  return null;
}

/**
 * Holds the answer against the form that the feature demands, before the client has its end: of a stream the last events are held back.
 * @throws PlimsollError `output_invalid` when the answer must not be passed on
 */
export async function guardOutput(call: Call, context: GatewayContext): Promise<void> {
  const output = call.caller?.feature.output;
  let judgement = judgeOutput(call, context.outputSchemas);
  if (output === undefined || judgement === null) return;
  let isRepaired = false;
  if (judgement.verdict === 'invalid' && output.onInvalid === 'repair' && call.answer?.kind === 'json') {
    const second = await repair(call, judgement, context);
    if (second !== null) {
      isRepaired = true;
      judgement = second;
    }
  }
  const { verdict, errors } = judgement;
  const validation: OutputValidation = { verdict, errors, repaired: isRepaired };
  call.outputValidation = validation;
  if (verdict === 'valid') return;
  const text = errors.join('; ');
  if (verdict === 'unmeasured' || output.onInvalid === 'flag') {
    call.warnings.push(`output ${verdict}: ${text}`);
    return;
  }
  call.answer = null;
  throw new PlimsollError('output_invalid', `The answer has not the form that "${call.caller?.feature.name}" demands: ${text}.`, {
    details: { errors, repaired: isRepaired },
  });
}
