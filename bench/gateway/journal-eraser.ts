/**
 * In place of control, which deletes the segments that it has read: else a long run fills the journal to its limit. A process of its own, as control
 * is one: to unlink a segment of 64 MB takes up to 20 ms, and a gateway never does that itself. `node journal-eraser.ts <directory of the cases>`
 */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { listSegments, segmentPath } from '../../src/kernel/journal/segment.ts';

const [directory = ''] = process.argv.slice(2);
setInterval(() => {
  for (const name of readdirSync(directory)) {
    const journal = join(directory, name, 'journal');
    if (!existsSync(journal)) continue;
    for (const segment of listSegments(journal).slice(0, -2)) rmSync(segmentPath(journal, segment), { force: true });
  }
}, 1_000);
process.on('disconnect', () => process.exit(0));
process.on('SIGINT', () => process.exit(0));
