import { startSimulatedProviders } from '../sim/provider-server.ts';
import { runChild } from './child-process.ts';
import { SimConfig } from './config.ts';

runChild('sim', async ({ environment, clock, log }) => {
  const config = SimConfig.parse(JSON.parse(environment.variables.PLIMSOLL_INTERNAL_SIM ?? '{}'));
  const server = await startSimulatedProviders({ config, clock, port: Number(environment.variables.PLIMSOLL_INTERNAL_SIM_PORT ?? 0) });
  log('info', 'simulated_providers', { port: server.port });
  return { shutdown: () => server.close() };
});
