import { startEngine } from '../stores/chdb/engine.ts';
import { runChild } from './child-process.ts';
import { DataDirectory } from './data-directory.ts';

runChild('engine', async ({ environment }) => {
  const engine = await startEngine({
    dataDir: new DataDirectory(environment.dataDirectory).engine,
    token: environment.variables.PLIMSOLL_INTERNAL_ENGINE_TOKEN ?? '',
    port: Number(environment.variables.PLIMSOLL_INTERNAL_ENGINE_PORT ?? 0),
  });
  return { shutdown: () => engine.close() };
});
