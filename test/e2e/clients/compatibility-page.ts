import { readFileSync } from 'node:fs';
import { anthropicMessages } from '../../../src/gateway/dialects/anthropic-messages.ts';
import { gemini } from '../../../src/gateway/dialects/gemini.ts';
import { openAiChat } from '../../../src/gateway/dialects/openai-chat.ts';
import { openAiResponses } from '../../../src/gateway/dialects/openai-responses.ts';
import { ENDPOINTS } from '../../../src/gateway/endpoints.ts';
import type { DialectName, ProviderAdapter } from '../../../src/gateway/provider.ts';
import { ADAPTERS } from '../../../src/gateway/providers/index.gen.ts';
import { SENDERS, WAYS, wordsOf } from '../sdks/senders.ts';
import { CASES, type Case, CLIENTS, ENDPOINT_CALLS, type EndpointCall, SIMULATED_CLIENTS, SIMULATED_KINDS, UPSTREAMS } from './matrix.ts';
import { type Proven, readProven } from './proven.ts';

const DIALECTS = [
  { dialect: openAiChat, title: 'OpenAI chat completions' },
  { dialect: openAiResponses, title: 'OpenAI responses' },
  { dialect: anthropicMessages, title: 'Anthropic messages' },
  { dialect: gemini, title: 'Gemini' },
];

function versionOf(name: string): string {
  const { devDependencies, dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as Record<string, Record<string, string>>;
  return dependencies?.[name] ?? devDependencies?.[name] ?? '';
}

function service(dialect: DialectName, { chat }: ProviderAdapter): string {
  const own = chat.filter((endpoint) => endpoint.dialect === dialect);
  if (own.length === 0) return 'translated';
  return own.some((endpoint) => endpoint.serves !== undefined) ? 'forwarded where the model speaks it' : 'forwarded';
}

function adapter(kind: string): ProviderAdapter {
  const found = ADAPTERS.find((candidate) => candidate.kind === kind);
  if (found === undefined) throw new Error(`There is no provider of kind "${kind}"`);
  return found;
}

function client(id: string): string {
  const found = CLIENTS.find((candidate) => candidate.id === id);
  return found === undefined ? id : `${found.package} (${found.api})`;
}

function dialectOf(id: string): DialectName {
  const found = CLIENTS.find((candidate) => candidate.id === id);
  if (found === undefined) throw new Error(`matrix.ts names no client "${id}"`);
  return found.dialect;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function pathsOf(dialect: DialectName): string {
  const labels = ENDPOINTS.filter((endpoint) => endpoint.dialect.name === dialect).map(({ method, label }) => `\`${method} ${label}\``);
  return [...new Set(labels)].join(', ');
}

function words(names: readonly string[]): string {
  return names.map((name) => CASES[name as Case].toLowerCase()).join(', '); // written by the tests, which take them from CASES
}

/** A cell and what was shown in it: nothing more where that is all that was shown anywhere in the table. */
function provenCell(dialect: DialectName, kind: string, proven: Proven, all: readonly string[]): string {
  const shown = proven[kind] ?? [];
  if (shown.length === 0) return 'not shown';
  const how = service(dialect, adapter(kind));
  return shown.length === all.length ? how : `${how}: ${words(shown)}`;
}

/** Every case that some cell of the rows has, in the order of CASES. */
function allCases(rows: readonly Proven[]): readonly string[] {
  const seen = new Set(rows.flatMap((row) => Object.values(row).flat()));
  return Object.keys(CASES).filter((name) => seen.has(name));
}

function endpointCell({ id, operation, endpoint }: EndpointCall, kind: string, proven: Proven): string {
  if (!(proven[id] ?? []).includes(kind)) return '–';
  if (operation !== null) return adapter(kind).operations[operation]?.encode === undefined ? 'forwarded' : 'translated';
  const speaks = (dialect: DialectName): boolean => adapter(kind).chat.some((entry) => entry.dialect === dialect);
  if (endpoint.includes('count_tokens')) return speaks('anthropic-messages') ? 'forwarded' : 'estimated';
  if (endpoint.includes(':countTokens')) return speaks('gemini') ? 'forwarded' : 'estimated';
  return 'forwarded';
}

/** docs/reference/compatibility.md */
export function compatibilityPage(): string {
  const records = new Map(CLIENTS.map(({ id }) => [id, readProven(id)]));
  const shown = allCases([...records.values()]);
  const cells = CLIENTS.map((row) => [
    `${row.package} ${versionOf(row.package)}`,
    row.api,
    ...UPSTREAMS.map((kind) => provenCell(row.dialect, kind, records.get(row.id) ?? {}, shown)),
  ]);
  const simulated = new Map(SIMULATED_CLIENTS.map((id) => [id, readProven(`simulated-${id}`)]));
  const simulatedCases = allCases([...simulated.values()]);
  const endpoints = readProven('endpoints');
  const calls = ENDPOINT_CALLS.map((call) => [
    `${call.package} ${versionOf(call.package)}`,
    call.api,
    call.endpoint.replaceAll(/[^, ]+/g, '`$&`'),
    ...(endpoints[call.id]?.includes('gateway')
      ? ['answered by the gateway', ...SIMULATED_KINDS.slice(1).map(() => '')]
      : SIMULATED_KINDS.map((kind) => endpointCell(call, kind, endpoints))),
  ]);
  const sent = readProven('senders');
  const senders = SENDERS.map(({ id, package: name, api, dialect, differences }) => [
    name === null ? id : `${name} ${versionOf(name)}`,
    api,
    `\`${dialect}\``,
    ...WAYS.map((way) => (sent[id]?.includes(way) ? 'the same spans' : '–')),
    wordsOf(differences),
  ]);
  const kinds = ADAPTERS.map((entry) => [`\`${entry.kind}\``, ...DIALECTS.map(({ dialect }) => service(dialect.name, entry))]);
  const limits = DIALECTS.map(
    ({ dialect, title }) => `### ${title}\n\n${pathsOf(dialect.name)}\n\n${dialect.limits.map((limit) => `- ${limit}`).join('\n')}`,
  );
  return `<!-- Generated by "npm run gen" from what test/e2e/clients/ has run; do not edit. -->
# Compatibility

A client speaks one of four formats. Where the provider speaks it too, the client's bytes are **forwarded**: only the model name, our own \`plimsoll\` member and a cap that a limit sets are
changed, the answer goes back byte for byte, and the gateway reads it along the way for usage, completeness and errors. Otherwise requests, answers, streams and errors are **translated**. What
cannot be translated is refused with status 400 and the name of the member; what is harmless is left out and named in the header \`x-plimsoll-warnings\`.

## Proven with official clients

Each cell was run by \`test/e2e/clients/\`: the client from npm against a gateway whose provider answers in its documented wire format, in ${shown.length} cases: ${words(shown)}. A cell that
names cases was shown in these only. The tests keep the record that this page is made from, and fail when it says anything else than they have run.

${table(['client', 'API', ...UPSTREAMS.map((kind) => `to \`${kind}\``)], cells)}

"Tools in parallel" sends two calls of one answer, with results, back in a second turn. "Abort" checks that the provider's connection is closed. "Error classes" checks 400, 401, 404, 429 and 5xx.

## Proven with the simulated providers

The simulator reads requests as strictly as the provider does. Against it one client of each format runs ${words(simulatedCases)}; the streamed answer is the whole one.

${table(
  ['provider', ...SIMULATED_CLIENTS.map((id) => client(id))],
  SIMULATED_KINDS.map((kind) => [
    `\`${kind}\``,
    ...SIMULATED_CLIENTS.map((id) => provenCell(dialectOf(id), kind, simulated.get(id) ?? {}, simulatedCases)),
  ]),
)}

## Proven endpoints besides chat

Official clients against the simulator, for every kind of provider that serves the endpoint there (image edits: against a provider of the test). "–" was not run: the provider does not serve it, or
the simulator does not play it (embeddings of \`bedrock\` and \`vertex\`, moderation and transcription of \`mistral\` and the rest of OpenAI-compatible services are held against recorded shapes in \`src/gateway\`).

${table(['client', 'call', 'endpoint', ...SIMULATED_KINDS.map((kind) => `\`${kind}\``)], calls)}

## Proven senders of traces

Each row was run by \`test/e2e/otlp-sdks.test.ts\`: the SDK from npm drives one agent (cached tokens, reasoning, a tool, a stream, a refusal) against a whole Plimsoll, and its spans are held field by
field against one canonical set: kind, status, class of error, provider, model, tokens by class, cost, finish reasons, first token, messages and tools. "Says less" names what an SDK does not send; the
rest is equal. See [tracing.md](../tracing.md).

${table(['SDK', 'used', 'dialect', ...WAYS, 'says less'], senders)}

## Every provider

${table(['provider', ...DIALECTS.map(({ title }) => title)], kinds)}

Translation passes through one format in the middle (OpenAI chat completions), so that a provider that is proven for one translated client is reached by the same code for every other.

## What is refused or left out in translation

${limits.join('\n\n')}
`;
}
