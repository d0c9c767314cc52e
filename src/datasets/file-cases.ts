import { readCases } from './formats/read-cases.ts';
import { hashOfCases } from './membership.ts';
import type { OpenedCases } from './source.ts';

/**
 * Cases of a file, as it stands. @param readText gives the file's text
 * @throws PlimsollError `invalid_argument` with file, line and fix
 */
export async function fileCases(path: string, readText: (path: string) => Promise<string>): Promise<OpenedCases> {
  const { cases, head } = readCases(await readText(path), { fileName: path });
  return {
    name: typeof head.name === 'string' ? head.name : path,
    version: null,
    contentHash: hashOfCases(cases),
    count: cases.length,
    sealedCount: 0,
    holdoutOpenings: null,
    async *cases() {
      yield* cases;
    },
  };
}
