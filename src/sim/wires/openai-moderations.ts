import { z } from 'zod';
import { NO_USAGE } from '../../models/usage.ts';
import { wireFailure } from '../chat-request.ts';
import { seededRandom } from '../seeded-random.ts';
import { failed, fingerprintOf, NO_UNITS, type WireEndpoint } from '../wire.ts';

const part = z.looseObject({ type: z.enum(['text', 'image_url']), text: z.string().optional() });
const body = z.looseObject({
  model: z.string().nullish(),
  input: z.union([z.string(), z.array(z.string()).min(1).max(2_048), z.array(part).min(1)]),
});

/** Words that set a category off; no more than enough to show both outcomes. */
const CATEGORIES: Readonly<Record<string, RegExp | null>> = {
  harassment: /\b(idiot|moron|loser|worthless)\b/i,
  'harassment/threatening': /\b(i will|i'll|going to) (hurt|kill|destroy|find) (you|him|her|them)\b/i,
  hate: /\bhate (all|those|these) \w+/i,
  'hate/threatening': null,
  illicit: /\b(pick a lock|steal|counterfeit|launder money)\b/i,
  'illicit/violent': /\b(build|make) a (bomb|weapon)\b/i,
  'self-harm': /\b(hurt|harm|cut|kill) myself\b/i,
  'self-harm/intent': /\bi (want|am going) to (die|kill myself)\b/i,
  'self-harm/instructions': null,
  sexual: /\b(explicit sex|pornograph\w+)\b/i,
  'sexual/minors': null,
  violence: /\b(kill|murder|stab|shoot) (you|him|her|them|someone|people)\b/i,
  'violence/graphic': /\b(blood everywhere|dismember\w*)\b/i,
};
const USUAL_MODEL = 'omni-moderation-latest';

function judge(text: string): unknown {
  const flags = Object.entries(CATEGORIES).map(([name, pattern]) => [name, pattern?.test(text) ?? false] as const);
  const random = seededRandom('moderation', text);
  return {
    flagged: flags.some(([, isFlagged]) => isFlagged),
    categories: Object.fromEntries(flags),
    category_scores: Object.fromEntries(
      flags.map(([name, isFlagged]) => [name, isFlagged ? 0.75 + random.next() * 0.24 : random.next() * 0.01]),
    ),
    category_applied_input_types: Object.fromEntries(flags.map(([name]) => [name, ['text']])),
  };
}

/** `POST /v1/moderations`: free of charge, by a short list of words. Any model is known here, as the usual one has a name of its own. */
export const openAiModerations: WireEndpoint = {
  method: 'POST',
  path: /^(?:v1\/)?moderations$/,
  handle({ body: raw, models }) {
    const parsed = body.safeParse(raw);
    if (!parsed.success) return failed(wireFailure(400, 'invalid', "Invalid value for 'input'.", { parameter: 'input' }));
    const { input } = parsed.data;
    const name = parsed.data.model ?? USUAL_MODEL;
    const isText = (item: unknown): item is string => typeof item === 'string';
    // Parts make one input together, a list of texts several.
    const texts = isText(input)
      ? [input]
      : input.every(isText)
        ? input
        : [input.map((item) => (isText(item) ? item : (item.text ?? ''))).join('\n')];
    const served = models.some((model) => model.name === name) ? name : (models[0]?.name ?? name);
    return {
      kind: 'direct',
      target: { model: served, fingerprint: fingerprintOf(parsed.data), lastUserText: texts.at(-1) ?? '', metadataFault: null },
      answer: (stamp) => ({
        contentType: 'application/json',
        body: JSON.stringify({ id: `modr-${stamp.id}`, model: name, results: texts.map(judge) }),
        usage: NO_USAGE,
        units: NO_UNITS,
        durationMs: 40,
        isFree: true,
      }),
    };
  },
};
