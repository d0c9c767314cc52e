import type { z } from 'zod';
import type { ProviderAdapter } from '../gateway/provider.ts';
import { ADAPTERS } from '../gateway/providers/index.gen.ts';

/** Adapters in the order of the page: those with a dialect of their own, then everything that speaks OpenAI's. */
const SORTED = [...ADAPTERS].sort((a, b) => Number(isCompatible(a)) - Number(isCompatible(b)) || a.kind.localeCompare(b.kind));

function isCompatible(adapter: ProviderAdapter): boolean {
  return hasDetails(adapter) === false && adapter.chat.every(({ dialect }) => dialect === 'openai-chat');
}

function settingsOf(adapter: ProviderAdapter): [name: string, schema: z.ZodType][] {
  return Object.entries(adapter.settings.shape as Readonly<Record<string, z.ZodType>>); // a zod object's shape holds schemas
}

function hasDetails(adapter: ProviderAdapter): boolean {
  return settingsOf(adapter).length > 0 || Object.keys(adapter.secrets).length > 0 || adapter.limits.length > 0;
}

/** The address with the names of the settings in the places of their values. */
function addressOf(adapter: ProviderAdapter): string {
  const placeholders = Object.fromEntries(settingsOf(adapter).map(([name]) => [name, `<${name}>`]));
  const address = adapter.defaultBaseUrl(placeholders);
  return address === null ? 'set `baseUrl`' : `\`${address}\``;
}

function escaped(text: string): string {
  return text.replaceAll('|', '\\|');
}

function settingRow([name, schema]: [string, z.ZodType]): string {
  const parsed = schema.safeParse(undefined);
  const initial = parsed.success ? (parsed.data === undefined ? '–' : `\`${String(parsed.data)}\``) : 'required';
  return `| \`${name}\` | ${initial} | ${escaped(schema.description ?? '')} |`;
}

function details(adapter: ProviderAdapter): string {
  const settings = settingsOf(adapter);
  const secrets = Object.entries(adapter.secrets);
  const parts = [`## \`${adapter.kind}\``];
  if (settings.length > 0) parts.push(`| setting | default | meaning |\n| --- | --- | --- |\n${settings.map(settingRow).join('\n')}`);
  if (secrets.length > 0)
    parts.push(`| secret | meaning |\n| --- | --- |\n${secrets.map(([name, text]) => `| \`${name}\` | ${escaped(text)} |`).join('\n')}`);
  if (adapter.limits.length > 0) parts.push(adapter.limits.map((limit) => `- ${limit}.`).join('\n'));
  return parts.join('\n\n');
}

function operationsOf(adapter: ProviderAdapter): string {
  const names = Object.keys(adapter.operations).sort();
  return names.length === 0 ? '–' : names.map((name) => name.replaceAll('_', ' ')).join(', ');
}

/** Every provider kind as a page, from the adapters themselves. */
export function providersReference(notice: string): string {
  const rows = SORTED.map(
    (adapter) =>
      `| \`${adapter.kind}\` | ${escaped(adapter.summary)} | ${addressOf(adapter)} | ${adapter.chat.map(({ dialect }) => dialect).join(', ')} | ${operationsOf(adapter)} |`,
  );
  return `${notice}# Providers

What \`providers.<name>.kind\` in plimsoll.yaml may be. A client that speaks a provider's own dialect has its bytes forwarded; every other client is translated, in JSON and in streams.
\`baseUrl\` replaces the address of a kind. \`settings\` and \`secrets\` are checked against these tables; a secret is written as \`"\${NAME}"\`, the name of an environment variable.
Images by URL are passed on as URLs and never fetched by the gateway.

| kind | what it is | address | dialects of chat | besides chat |
| --- | --- | --- | --- | --- |
${rows.join('\n')}
| \`sim\` | simulated answers, marked as such everywhere | the simulator of this Plimsoll | as the kind that it speaks for | as that kind |

${SORTED.filter(hasDetails).map(details).join('\n\n')}
`;
}
