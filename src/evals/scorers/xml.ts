import { z } from 'zod';
import { embeddedElements, hasPath, readDocument, type XmlElement } from '../markup/xml.ts';
import { failed, type Score, verdict } from '../score.ts';
import { defineScorer } from '../scorer.ts';

const MAX_CHARACTERS = 10_000_000;

const Paths = z
  .union([
    z.string().transform((text) => text.split(',').map((path) => path.trim())),
    z.array(z.union([z.string(), z.number()]).transform(String)),
    z
      .strictObject({ requiredElements: z.array(z.union([z.string(), z.number()]).transform(String)) })
      .transform(({ requiredElements }) => requiredElements),
  ])
  .optional()
  .describe('Paths that must lead somewhere, such as `order.item`: a list, a text with commas, or { requiredElements }');

function withPaths(elements: readonly XmlElement[], paths: readonly string[] | undefined): Score {
  const missing = (paths ?? []).filter((path) => !hasPath(elements, path));
  return verdict(missing.length === 0, missing.length === 0 ? 'XML as wanted.' : `XML without ${missing.join(', ').slice(0, 300)}.`);
}

export default [
  defineScorer({
    names: ['is-xml'],
    summary: 'The whole output is well-formed XML, and has these elements.',
    source: 'promptfoo; XML 1.0 with namespaces. A DOCTYPE with rules of its own is refused, as there.',
    direction: 'higher',
    needs: [],
    options: z.strictObject({ value: Paths }),
    score({ output }, { value }) {
      if (output.length > MAX_CHARACTERS) return failed('The output is too long to be checked.');
      const element = readDocument(output);
      return typeof element === 'string' ? verdict(false, `No XML: ${element}.`) : withPaths([element], value);
    },
  }),
  defineScorer({
    names: ['contains-xml'],
    summary: 'Some of the output is XML, and has these elements.',
    source: 'promptfoo: elements that are closed, one of them or all together with the wanted paths.',
    direction: 'higher',
    needs: [],
    options: z.strictObject({ value: Paths }),
    score({ output }, { value }) {
      if (output.length > MAX_CHARACTERS) return failed('The output is too long to be searched.');
      const elements = embeddedElements(output);
      if (elements.length === 0) return verdict(false, 'No element in the output.');
      const all = withPaths(elements, value);
      if (all.state === 'measured' && all.passed === true) return all;
      return verdict(
        elements.some((element) => (value ?? []).every((path) => hasPath([element], path))),
        'XML, but no element has all that is wanted.',
      );
    },
  }),
];
