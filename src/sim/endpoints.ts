import type { IncomingHttpHeaders } from 'node:http';
import { ResponseMemory } from './response-memory.ts';
import type { WireDialect, WireEndpoint } from './wire.ts';
import { ANTHROPIC, anthropicModels } from './wires/anthropic.ts';
import { anthropicMessages } from './wires/anthropic-messages.ts';
import { BEDROCK } from './wires/bedrock.ts';
import { bedrockConverse } from './wires/bedrock-converse.ts';
import { COHERE, cohereModels } from './wires/cohere.ts';
import { cohereChat } from './wires/cohere-chat.ts';
import { cohereEmbed, cohereRerank } from './wires/cohere-embed-rerank.ts';
import { GEMINI, geminiModels } from './wires/gemini.ts';
import { geminiEmbed } from './wires/gemini-embed.ts';
import { geminiGenerate } from './wires/gemini-generate.ts';
import { MISTRAL, mistralChat } from './wires/mistral.ts';
import { OPENAI, openAiModels } from './wires/openai.ts';
import { openAiChat } from './wires/openai-chat.ts';
import { openAiCompletions } from './wires/openai-completions.ts';
import { openAiEmbeddings } from './wires/openai-embeddings.ts';
import { openAiImages, openAiSpeech, openAiTranscriptions } from './wires/openai-media.ts';
import { openAiModerations } from './wires/openai-moderations.ts';
import { openAiResponses } from './wires/openai-responses.ts';

/** A provider's operations. */
interface WireFamily {
  readonly dialect: WireDialect;
  readonly endpoints: readonly WireEndpoint[];
}

export interface FoundEndpoint {
  readonly dialect: WireDialect;
  /** Null = the path is known under another method. */
  readonly endpoint: WireEndpoint | null;
  readonly groups: Readonly<Record<string, string | undefined>>;
}

/** Finds the operation of a request by its path. */
export interface EndpointTable {
  find(
    method: string,
    path: string,
    headers: IncomingHttpHeaders,
  ): FoundEndpoint | { readonly dialect: WireDialect; readonly endpoint: 'unknown' };
}

/** Percent-decoded; null when that is not possible. */
export function decodedPath(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null; // no path of ours has a stray percent sign
  }
}

/** The dialect of a path without a prefix, for clients whose base URL is only host and port. */
function unprefixed(path: string, headers: IncomingHttpHeaders): string {
  if (headers['anthropic-version'] !== undefined || /^(?:v1\/)?messages(?:\/|$)/.test(path)) return 'anthropic';
  if (/^(?:v1(?:beta\d?|alpha)\/|v1\/projects\/)/.test(path)) return 'gemini';
  if (path.startsWith('v2/')) return 'cohere';
  if (path.startsWith('model/')) return 'bedrock';
  return 'openai';
}

/** All wire formats: each under its own prefix (`/openai/v1/…`) and at the root. */
export function createEndpoints(): EndpointTable {
  const openAiRest = [openAiCompletions, openAiModerations, openAiImages, openAiSpeech, openAiTranscriptions];
  const memory = new ResponseMemory();
  const families = new Map<string, WireFamily>([
    ['openai', { dialect: OPENAI, endpoints: [openAiChat, ...openAiResponses(memory), openAiEmbeddings, ...openAiRest, ...openAiModels] }],
    ['anthropic', { dialect: ANTHROPIC, endpoints: [...anthropicMessages, ...anthropicModels] }],
    ['gemini', { dialect: GEMINI, endpoints: [...geminiGenerate, ...geminiEmbed, ...geminiModels] }],
    ['cohere', { dialect: COHERE, endpoints: [cohereChat, cohereEmbed, cohereRerank, ...cohereModels] }],
    ['mistral', { dialect: MISTRAL, endpoints: [mistralChat, openAiEmbeddings, ...openAiModels] }],
    ['bedrock', { dialect: BEDROCK, endpoints: bedrockConverse }],
  ]);
  const prefixes = [...families.keys()];
  return {
    find(method, path, headers) {
      const whole = path.replace(/^\/+/, '');
      const prefix = prefixes.find((name) => whole.startsWith(`${name}/`) && !whole.startsWith('openai/deployments/'));
      const rest = prefix === undefined ? whole : whole.slice(prefix.length + 1);
      const family = families.get(prefix ?? unprefixed(whole, headers));
      if (family === undefined) return { dialect: OPENAI, endpoint: 'unknown' };
      const { dialect, endpoints } = family;
      let isKnownPath = false;
      for (const endpoint of endpoints) {
        const match = endpoint.path.exec(rest);
        if (match === null) continue;
        isKnownPath = true;
        if (endpoint.method !== method) continue;
        const groups = Object.fromEntries(Object.entries(match.groups ?? {}).map(([name, text]) => [name, text && decodedPath(text)]));
        return Object.values(groups).includes(null)
          ? { dialect, endpoint: 'unknown' }
          : { dialect, endpoint, groups: groups as FoundEndpoint['groups'] }; // no null is left
      }
      return isKnownPath ? { dialect, endpoint: null, groups: {} } : { dialect, endpoint: 'unknown' };
    },
  };
}
