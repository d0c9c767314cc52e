import { effortOfBudget } from '../../hub/effort.ts';
import { isObject, type JsonObject, refuse } from '../../hub/json.ts';
import { decodeMessages } from './messages.ts';
import { decodeTools } from './tools.ts';

/** Handled below, or without a meaning for the answer. */
const KNOWN = new Set([
  ...['model', 'messages', 'system', 'stream', 'tools', 'tool_choice', 'max_tokens', 'temperature', 'top_p', 'top_k', 'stop_sequences'],
  ...['thinking', 'output_config', 'output_format', 'metadata', 'service_tier', 'plimsoll', 'anthropic_version', 'betas'],
]);

/** What would change where or with what the answer is made. */
const REFUSED: Readonly<Record<string, string>> = {
  container: 'containers run at Anthropic',
  mcp_servers: 'Anthropic calls these servers itself',
  inference_geo: 'only Anthropic can hold to it; give the route targets in the region instead',
};

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null || (Array.isArray(value) && value.length === 0);
}

function refuseImpossible(body: JsonObject, warnings: Set<string>): void {
  for (const [name, value] of Object.entries(body)) {
    if (isAbsent(value)) continue;
    const why = Object.hasOwn(REFUSED, name) ? REFUSED[name] : undefined;
    if (why !== undefined) refuse(name, `this can only be sent to an Anthropic provider: ${why}`);
    if (!KNOWN.has(name)) warnings.add(`${name} is not sent: the provider that answers has no counterpart`);
  }
}

function maxTokens(value: unknown): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1)
    return refuse('max_tokens', 'a whole number of at least 1 is needed');
  return value;
}

/** Anthropic's own `thinking` stays for providers that know it; the level beside it is for the others. */
function decodeThinking(thinking: unknown, effort: unknown): Record<string, unknown> {
  const asked = typeof effort === 'string' ? { reasoning_effort: effort } : {};
  if (thinking === undefined || thinking === null) return asked;
  if (!isObject(thinking)) return refuse('thinking', 'an object is needed');
  switch (thinking.type) {
    case 'enabled': {
      const budget = thinking.budget_tokens;
      if (typeof budget !== 'number' || !Number.isInteger(budget) || budget < 1)
        return refuse('thinking.budget_tokens', 'a whole number of at least 1 is needed');
      return { thinking: { type: 'enabled', budget_tokens: budget }, reasoning_effort: effortOfBudget(budget), ...asked };
    }
    case 'adaptive':
    case 'between_tools':
      return { thinking: { type: 'adaptive' }, reasoning_effort: 'high', ...asked };
    case 'disabled':
      return { thinking: { type: 'disabled' } };
    default:
      return refuse('thinking.type', `"${String(thinking.type)}" is not one of enabled, adaptive, between_tools, disabled`);
  }
}

function decodeFormat(format: unknown): Record<string, unknown> {
  if (format === undefined || format === null) return {};
  if (!isObject(format) || format.type !== 'json_schema')
    return refuse('output_config.format', 'only { type: "json_schema", schema } is known');
  if (!isObject(format.schema)) return refuse('output_config.format.schema', 'a JSON schema is needed');
  return { response_format: { type: 'json_schema', json_schema: { name: 'answer', strict: true, schema: format.schema } } };
}

/** Thinking is part of the answer only for who asked for it. */
export function wantsThinking(body: JsonObject): boolean {
  return isObject(body.thinking) && body.thinking.type !== 'disabled';
}

/**
 * Body of `POST /v1/messages` → hub chat request.
 * @throws PlimsollError `invalid_argument` with `details.param` for what only an Anthropic provider can do
 */
export function decodeRequest(body: JsonObject): { body: Record<string, unknown>; warnings: string[] } {
  const warnings = new Set<string>();
  refuseImpossible(body, warnings);
  const { output_config: config, output_format: betaFormat, metadata, service_tier: tier, stop_sequences: stop } = body;
  if (!isAbsent(config) && !isObject(config)) refuse('output_config', 'an object is needed');
  const output = isObject(config) ? config : {};
  if (!isAbsent(output.task_budget)) warnings.add('output_config.task_budget is not sent: the provider that answers has no counterpart');
  const userId = isObject(metadata) ? metadata.user_id : null;
  const decoded: Record<string, unknown> = {
    model: body.model,
    messages: decodeMessages(body, warnings),
    ...decodeTools(body, warnings),
    max_completion_tokens: maxTokens(body.max_tokens),
    ...decodeThinking(body.thinking, output.effort),
    ...decodeFormat(output.format ?? betaFormat),
  };
  for (const name of ['temperature', 'top_p', 'top_k']) if (!isAbsent(body[name])) decoded[name] = body[name];
  if (!isAbsent(stop)) decoded.stop = stop;
  if (typeof userId === 'string' && userId !== '') decoded.user = userId;
  if (tier === 'standard_only') decoded.service_tier = 'default';
  if (body.stream === true) decoded.stream = true;
  return { body: decoded, warnings: [...warnings] };
}
