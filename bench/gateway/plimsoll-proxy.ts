/** The whole data plane with a real journal in the directory given. Prints its port. */
import { createWriteStream, mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { createGateway } from '../../src/gateway/server.ts';
import type { Snapshot } from '../../src/gateway/snapshot.ts';
import { keyHmac } from '../../src/identity/virtual-key.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { FileJournalWriter } from '../../src/kernel/journal/writer.ts';

const [upstream = '', directory = '', key = '', payloads = 'full'] = process.argv.slice(2) as [string, string, string, 'full' | 'none'];
mkdirSync(directory, { recursive: true });
const pepper = 'ab'.repeat(32);
const price = { priceId: 'bench', perToken: { inputUncachedTokens: '150000', outputTextTokens: '600000' }, perRequest: null, tiers: [] };
const snapshot: Snapshot = {
  epoch: 1,
  schemaVersion: 1,
  organisationId: 'default',
  environment: 'production',
  createdAtMs: Date.now(),
  keyPepper: pepper,
  providers: [
    {
      name: 'stub',
      kind: 'openai',
      baseUrl: `${upstream}/v1`,
      apiKey: { literal: 'sk-bench' },
      headers: {},
      timeouts: { connectMs: 2000, firstByteMs: 30_000, idleMs: 20_000, totalMs: 600_000 },
      maxConnections: 512,
      dialect: 'openai',
      isSimulated: false,
    },
  ],
  models: [{ name: 'bench-model', provider: 'stub', upstreamModel: 'stub-model-2026', price }],
  routes: [{ name: 'default', targets: ['bench-model'] }],
  features: [{ name: 'bench', owner: 'team', costOwner: 'finance', route: 'default', payloads }],
  keys: [{ id: 'key-1', name: 'bench', hmac: keyHmac(pepper, key), feature: 'bench', team: 'team', models: null, expiresAtMs: null }],
  limits: { maxBodyBytes: 32 * 1024 * 1024, maxJsonDepth: 128, maxConcurrentRequests: 10_000, maxPayloadBytes: 256 * 1024 },
};

const journal = await FileJournalWriter.open({ directory: `${directory}/journal`, clock: systemClock });
const log = createWriteStream(`${directory}/calls.log`);
let lines = '';
const gateway = createGateway({
  clock: systemClock,
  journal,
  snapshots: { current: () => snapshot },
  resolveSecret: (reference) => (reference !== null && 'literal' in reference ? reference.literal : null),
  writeLogLine(line) {
    if (lines === '') {
      setTimeout(() => {
        log.write(lines);
        lines = '';
      }, 50);
    }
    lines += `${line}\n`;
  },
});
const server = createServer((request, response) => gateway.handler(request, response));
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  console.log(`PORT=${typeof address === 'object' ? address?.port : ''}`);
});
process.on('disconnect', () => process.exit(0));
process.on('SIGINT', () => process.exit(0));
