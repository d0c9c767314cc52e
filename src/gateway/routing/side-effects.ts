import type { Call } from '../call.ts';

type Loose = Readonly<Record<string, unknown>>;

/** Tools that the client runs, and tools of the provider that only read. Whatever else a provider runs may change something. */
const HARMLESS_TOOL =
  /^(function|custom|web_search|web_fetch|file_search|retrieval|google_search|text_editor|bash|computer|local_shell|apply_patch|memory)/;

function isHarmless(tool: unknown): boolean {
  if (typeof tool !== 'object' || tool === null) return true;
  const { type } = tool as Loose; // read one member
  // Anthropic's own tools carry no type.
  return typeof type !== 'string' || HARMLESS_TOOL.test(type);
}

/**
 * Whether asking twice could do something twice: tools that the provider runs itself (MCP servers, code), work in the background. Plain
 * generation has no effect but its cost. Looks at the whole request: for failures and hedges only.
 */
export function hasProviderSideEffects(call: Call): boolean {
  // Nothing else runs tools, and a form with files is no JSON.
  if (call.operation !== 'chat') return false;
  const request = call.parsedBody();
  if (request.background === true) return true;
  if (Array.isArray(request.mcp_servers) && request.mcp_servers.length > 0) return true;
  return Array.isArray(request.tools) && !request.tools.every(isHarmless);
}
