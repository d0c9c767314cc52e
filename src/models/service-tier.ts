/** What providers call the service tier of their list price; `on_demand` is Groq's word and Google's; servers without tiers echo `auto`. */
const STANDARD_TIERS: ReadonlySet<string> = new Set(['default', 'standard', 'on_demand', 'auto']);

/** Google's words for the tiers that others have too. */
const OTHER_WORDS: Readonly<Record<string, string>> = { on_demand_flex: 'flex', on_demand_priority: 'priority' };
const MAX_NAME_CHARACTERS = 64;

/**
 * A service tier other than that of the list price, in one spelling (`flex`, `priority`, `batch`, …).
 * @param told what a provider says that served the call, or a request asks for
 * @returns null for the standard tier, and for what is no name
 */
export function serviceTier(told: unknown): string | null {
  if (typeof told !== 'string' || told === '' || told.length > MAX_NAME_CHARACTERS) return null;
  const name = told.toLowerCase();
  if (STANDARD_TIERS.has(name)) return null;
  return Object.hasOwn(OTHER_WORDS, name) ? (OTHER_WORDS[name] ?? null) : name;
}

/** The tier that some providers name beside the tokens: Anthropic's `service_tier`, Vertex AI's `trafficType`. */
export function serviceTierOfUsage(providerUsage: unknown): string | null {
  if (typeof providerUsage !== 'object' || providerUsage === null) return null;
  const { service_tier: anthropic, trafficType: google } = providerUsage as Readonly<Record<string, unknown>>;
  return serviceTier(anthropic ?? google);
}
