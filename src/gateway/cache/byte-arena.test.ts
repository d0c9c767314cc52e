import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ByteArena, type Cell } from './byte-arena.ts';

describe('byte arena', () => {
  it('never gives the same bytes to two, whatever comes and goes, and gives all memory back', () => {
    const step = fc.oneof(
      fc.record({ take: fc.oneof(fc.integer({ min: 0, max: 3000 }), fc.integer({ min: 0, max: 100_000 })) }),
      fc.record({ leave: fc.nat() }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const arena = new ByteArena();
        const held: { cell: Cell; mark: number }[] = [];
        const check = ({ cell, mark }: { cell: Cell; mark: number }): void => {
          const bytes = cell.bytes.subarray(cell.start, cell.start + cell.length);
          assert.ok(
            bytes.every((byte) => byte === mark),
            `${cell.length} bytes at ${cell.start}`,
          );
        };
        steps.forEach((each, index) => {
          if ('take' in each) {
            const cell = arena.allocate(each.take);
            assert.equal(cell.length, each.take);
            assert.ok(cell.start + cell.length <= cell.bytes.length);
            const mark = index % 251;
            cell.bytes.fill(mark, cell.start, cell.start + cell.length);
            held.push({ cell, mark });
          } else if (held.length > 0) {
            const [gone] = held.splice(each.leave % held.length, 1);
            if (gone === undefined) return;
            check(gone);
            arena.release(gone.cell);
          }
        });
        for (const each of held) check(each);
        for (const { cell } of held) arena.release(cell);
        assert.equal(arena.pageBytes, 0);
      }),
      { numRuns: 100 },
    );
  });

  it('takes little more than it holds', () => {
    const arena = new ByteArena();
    let held = 0;
    for (let index = 0; index < 20_000; index++) {
      const length = 500 + ((index * 7919) % 4000);
      arena.allocate(length);
      held += length;
    }
    assert.ok(arena.pageBytes < held * 1.3, `${arena.pageBytes} for ${held}`);
  });
});
