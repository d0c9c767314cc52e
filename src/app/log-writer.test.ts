import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { systemClock } from '../kernel/clock.ts';
import { cpuTimer } from '../kernel/testing.ts';
import { LogWriter } from './log-writer.ts';

describe('LogWriter', () => {
  it('writes every line once, in order', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'plimsoll-log-'));
    const path = join(directory, 'log');
    const fd = openSync(path, 'w');
    const writer = new LogWriter(fd, systemClock);
    const lines = Array.from({ length: 5_000 }, (_, index) => `{"line":${index},"text":"ü"}`);
    for (const [index, line] of lines.entries()) {
      writer.writeLine(line);
      if (index % 700 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await writer.drain(5_000);
    closeSync(fd);
    assert.deepEqual(readFileSync(path, 'utf8').trimEnd().split('\n'), lines);
    assert.equal(writer.droppedLines, 0);
    rmSync(directory, { recursive: true });
  });

  it('a pipe that nobody reads neither blocks nor grows without bound, and goes on when it is read', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'plimsoll-log-'));
    const path = join(directory, 'pipe');
    execFileSync('mkfifo', [path]);
    const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    const writer = new LogWriter(fd, systemClock, 100_000);
    const line = 'x'.repeat(999);
    let written = 0;
    const spentMs = cpuTimer();
    while (writer.droppedLines < 100) {
      writer.writeLine(line);
      written += 1;
      if (written % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
      assert.ok(written < 10_000, 'nothing was ever dropped');
    }
    assert.ok(spentMs() < 5_000, 'writing spins');
    const kept = written - writer.droppedLines;
    let read = 0;
    const chunk = Buffer.alloc(65_536);
    while (read < kept * 1_000) {
      try {
        read += readSync(fd, chunk);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }
    assert.equal(read, kept * 1_000);
    closeSync(fd);
    rmSync(directory, { recursive: true });
  });
});
