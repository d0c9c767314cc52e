/** The whole data plane with a real journal in the directory given. Prints its port. */
import { createWriteStream, mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { FrontDoor } from '../../src/gateway/downstream/front-door.ts';
import { isCallUrl } from '../../src/gateway/endpoints.ts';
import { createGateway } from '../../src/gateway/server.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { FileJournalWriter } from '../../src/kernel/journal/writer.ts';
import { type BenchStages, benchSnapshot } from './snapshot.ts';

type Arguments = [upstream: string, directory: string, key: string, payloads: 'full' | 'none', stages: BenchStages];
const [upstream = '', directory = '', key = '', payloads = 'full', stages = 'bare'] = process.argv.slice(2) as Arguments;
mkdirSync(directory, { recursive: true });
const snapshot = benchSnapshot(upstream, key, payloads, stages);

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
new FrontDoor(server, { clock: systemClock, takes: isCallUrl, handle: gateway.handler });
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  console.log(`PORT=${typeof address === 'object' ? address?.port : ''}`);
});
process.on('disconnect', () => process.exit(0));
process.on('SIGINT', () => process.exit(0));
