import { z } from 'zod';
import { defineCommand } from '../../kernel/commands.ts';
import type { CliContext } from '../cli.ts';
import { readConfig } from '../config.ts';
import { assertCompiles } from '../config-compile-check.ts';
import { readConfigFile } from '../config-watcher.ts';
import { countOf } from '../format.ts';

export default defineCommand<CliContext>()({
  name: 'config check',
  summary: 'Test plimsoll.yaml without starting anything',
  example: 'plimsoll config check ./plimsoll.yaml',
  options: z.strictObject({
    file: z.string().optional().describe('Path (else PLIMSOLL_CONFIG, else ./plimsoll.yaml)'),
    offline: z.boolean().default(false).describe('Do not ask whether the named environment variables are set here'),
  }),
  positionals: ['file'],
  exitCodes: { 78: 'the file is wrong; every finding is listed with its line' },
  async run({ options, output, context }) {
    const path = options.file ?? context.environment.configPath;
    const text = readConfigFile(path);
    const config = readConfig(text, path, options.offline ? null : context.environment.variables);
    if (!options.offline) assertCompiles(config, text, path, context.environment.variables);
    const counts = {
      providers: Object.keys(config.providers).length,
      models: Object.keys(config.models).length,
      routes: Object.keys(config.routes).length,
      features: Object.keys(config.features).length,
      keys: config.keys.length,
    };
    output.print(
      `${path} is right: ${Object.entries(counts)
        .map(([noun, count]) => countOf(count, noun.slice(0, -1)))
        .join(', ')}.`,
      { path, isValid: true, ...counts },
    );
    return 0;
  },
});
