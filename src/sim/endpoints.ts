import type { IncomingHttpHeaders } from 'node:http';
import type { WireDialect, WireEndpoint } from './wire.ts';
import { ANTHROPIC, anthropicModels } from './wires/anthropic.ts';
import { anthropicMessages } from './wires/anthropic-messages.ts';
import { OPENAI, openAiModels } from './wires/openai.ts';
import { openAiChat } from './wires/openai-chat.ts';

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

/** The dialect of a path without a prefix, for clients whose base URL is only host and port. */
function unprefixed(path: string, headers: IncomingHttpHeaders): string {
  if (headers['anthropic-version'] !== undefined || /^(?:v1\/)?messages(?:\/|$)/.test(path)) return 'anthropic';
  return 'openai';
}

/** All wire formats: each under its own prefix (`/openai/v1/…`) and at the root. */
export function createEndpoints(): EndpointTable {
  const families = new Map<string, WireFamily>([
    ['openai', { dialect: OPENAI, endpoints: [openAiChat, ...openAiModels] }],
    ['anthropic', { dialect: ANTHROPIC, endpoints: [...anthropicMessages, ...anthropicModels] }],
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
        if (endpoint.method === method) return { dialect, endpoint, groups: match.groups ?? {} };
        isKnownPath = true;
      }
      return isKnownPath ? { dialect, endpoint: null, groups: {} } : { dialect, endpoint: 'unknown' };
    },
  };
}
