import { z } from 'zod';
import { defineCommand } from '../../kernel/commands.ts';
import type { CliContext } from '../cli.ts';
import { ensureDashboard } from '../dashboard-build.ts';
import { readEnvironment } from '../environment.ts';
import { supervise } from '../supervisor.ts';

export default defineCommand<CliContext>()({
  name: 'serve',
  summary: 'Start gateway, API and dashboard',
  example: 'plimsoll serve --port 4000',
  options: z.strictObject({
    role: z
      .enum(['all', 'gateway', 'control'])
      .default('all')
      .describe('all, or one role of several machines: gateway (follows PLIMSOLL_CONTROL_URL) or control'),
    config: z.string().optional().describe('Path of plimsoll.yaml (else PLIMSOLL_CONFIG, else ./plimsoll.yaml)'),
    port: z.coerce.number().int().min(0).max(65_535).optional().describe('Port (else PLIMSOLL_PORT, else 4000)'),
    dataDir: z.string().optional().describe('Data directory (else PLIMSOLL_DATA_DIR, else ./plimsoll-data)'),
  }),
  exitCodes: {
    65: 'the data was written by a newer version',
    69: 'a port is in use, a database cannot be reached, or the platform is not supported',
    73: 'the data directory cannot be used',
    78: 'plimsoll.yaml is wrong',
  },
  async run({ options }) {
    const set = (name: string, value: string | number | undefined): void => {
      if (value !== undefined) process.env[name] = `${value}`;
    };
    // The children read the same variables.
    set('PLIMSOLL_CONFIG', options.config);
    set('PLIMSOLL_PORT', options.port);
    set('PLIMSOLL_DATA_DIR', options.dataDir);
    if (options.role !== 'gateway') await ensureDashboard();
    const exitCode = await supervise(readEnvironment(process.env), options.role);
    // A parent that forked us would keep the process alive by its channel.
    if (process.connected) process.disconnect?.();
    return exitCode;
  },
});
