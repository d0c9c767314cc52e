import { PlimsollError } from '../../kernel/errors.ts';

/** Where a template says something: 1-based. */
export interface TemplatePlace {
  readonly line: number;
  readonly column: number;
}

export function placeOf(source: string, offset: number): TemplatePlace {
  const before = source.slice(0, offset);
  const line = before.split('\n').length;
  return { line, column: offset - (before.lastIndexOf('\n') + 1) + 1 };
}

/** @returns `invalid_argument`, with name, line and column in the message and the details */
export function templateError(name: string, source: string, offset: number, message: string): PlimsollError {
  const { line, column } = placeOf(source, offset);
  return new PlimsollError('invalid_argument', `${name}:${line}:${column}: ${message}`, { details: { template: name, line, column } });
}
