import { PlimsollError } from '../../kernel/errors.ts';
import { parseJsonText } from '../../kernel/parse-json.ts';
import { unitVector } from '../../models/embedder.ts';
import type { Call, Caller } from '../call.ts';
import type { CompiledTarget } from '../compiled-snapshot.ts';
import type { GatewayContext } from '../gateway-context.ts';
import { startInternalCall } from '../internal-call.ts';
import { OPERATION_DIALECTS } from '../operations/client-operation.ts';
import { isTargetAllowed } from '../target-policy.ts';
import type { ModelEmbedder } from './settings.ts';

/** Under which the vectors of cached questions stand in the ledger and the traces. */
export const CACHE_FEATURE = 'plimsoll-cache';

/** Nobody's key: limits of the caller are for its own calls. Those of everything, of the model and of its provider hold. */
const CALLER: Caller = {
  key: { id: 'plimsoll', name: 'plimsoll', hmac: '', feature: CACHE_FEATURE, team: null, models: null, expiresAtMs: null },
  feature: { name: CACHE_FEATURE, owner: null, costOwner: null, route: '', payloads: 'none' },
};

const EMBEDDINGS = OPERATION_DIALECTS.find(({ operation }) => operation.name === 'embeddings');

/** Targets that may see the caller's question, and whose vectors can be compared with those that were checked. */
function targetsFor(call: Call, { model, id }: ModelEmbedder): CompiledTarget[] {
  const targets = call.snapshot.destinations.get(model)?.targets ?? [];
  return targets.filter((target) => `model:${target.upstreamModel}` === id && isTargetAllowed(call, target));
}

/** @throws PlimsollError `provider_bad_response` */
function readVector(bytes: Buffer | null): Float32Array {
  const answer = bytes === null ? null : (parseJsonText(bytes.toString('utf8')) as { data?: { embedding?: unknown }[] }); // read with doubt below
  const embedding = answer?.data?.[0]?.embedding;
  if (!Array.isArray(embedding) || embedding.length === 0 || !embedding.every(Number.isFinite))
    throw new PlimsollError('provider_bad_response', 'The provider answered with an embedding that is no list of numbers.');
  return unitVector(embedding as number[]); // just checked
}

/**
 * The vector of a question by a model of this gateway: a call of its own in ledger and trace, through the same stages as any other but without a
 * cache, and never later than its deadline.
 * @throws PlimsollError why there is none
 */
export async function embedByModel(call: Call, embedder: ModelEmbedder, text: string, context: GatewayContext): Promise<Float32Array> {
  const targets = targetsFor(call, embedder);
  const [target] = targets;
  if (target === undefined || EMBEDDINGS === undefined)
    throw new PlimsollError('target_not_allowed', `"${embedder.model}" has no target that may compare questions of this feature.`);
  const { finished } = startInternalCall(
    {
      purpose: 'embedding',
      snapshot: call.snapshot,
      caller: CALLER,
      parent: call,
      target,
      fallbacks: targets.slice(1),
      dialect: EMBEDDINGS,
      request: { model: embedder.model, input: text, encoding_format: 'float' },
      timeoutMs: embedder.timeoutMs,
    },
    context,
  );
  const { error, body } = await finished;
  if (error !== null) throw error;
  return readVector(body);
}
