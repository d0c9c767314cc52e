/** What a person sees on the terminal when the tree serves. */
export function readyBanner(facts: { url: string; role: string; elapsedMs: number }): string {
  const what = facts.role === 'all' ? 'gateway, API and dashboard' : facts.role;
  return `\n  ─◯─  Plimsoll is ready after ${(facts.elapsedMs / 1000).toFixed(1)} s: ${what} on ${facts.url}\n`;
}

/** Printed once in the life of a data directory: the keys are stored as hashes only. */
export function firstStartBanner(facts: { url: string; adminKey: string; virtualKey: string | null }): string {
  const lines = ['', '  Shown once (kept as hashes only):', `    dashboard    ${facts.url}`, `    admin key    ${facts.adminKey}`];
  if (facts.virtualKey !== null) {
    lines.push(
      `    virtual key  ${facts.virtualKey}`,
      '',
      '  First call:',
      `    curl ${facts.url}/v1/chat/completions \\`,
      `      -H "authorization: Bearer ${facts.virtualKey}" -H "content-type: application/json" \\`,
      `      -d '{"model":"default","messages":[{"role":"user","content":"Where is my order 1042?"}]}'`,
    );
  }
  lines.push('', '  Lost a key? "npm run -s plimsoll -- keys admin" makes a new admin key on this machine.', '');
  return `${lines.join('\n')}\n`;
}
