import { z } from 'zod';
import type { KeyPage, KeyView } from '../../identity/model.ts';
import { defineCommand } from '../../kernel/commands.ts';
import type { CliContext } from '../cli.ts';
import { formatTime } from '../format.ts';
import { renderTable } from '../terminal.ts';

export default defineCommand<CliContext>()({
  name: 'keys list',
  summary: 'List virtual keys',
  example: 'plimsoll keys list --feature customer-support',
  options: z.strictObject({ feature: z.string().optional().describe('Only keys of this feature') }),
  async run({ options, output, context }) {
    const keys: KeyView[] = [];
    let cursor: string | undefined;
    do {
      const page: KeyPage = await context.client.call('GET', '/api/v1/keys', { query: { limit: 500, feature: options.feature, cursor } });
      keys.push(...page.keys);
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    const rows = keys.map((key) => [
      key.id,
      key.name,
      key.prefix ? `plk_${key.prefix}…` : '',
      key.feature ?? 'any',
      key.team ?? '',
      key.revokedAt === null
        ? key.expiresAt === null
          ? 'active'
          : `until ${formatTime(key.expiresAt)}`
        : `revoked ${formatTime(key.revokedAt)}`,
      key.source,
    ]);
    output.print(
      rows.length === 0
        ? 'No keys yet; "plimsoll keys create NAME --feature FEATURE" makes one.'
        : renderTable(
            ['id', 'name', 'key', 'feature', 'team', 'state', 'source'].map((title) => ({ title })),
            rows,
          ),
      { keys },
    );
    return 0;
  },
});
