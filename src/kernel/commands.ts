import { parseArgs } from 'node:util';
import type { z } from 'zod';
import { unwrap } from './config/schema.ts';
import { PlimsollError } from './errors.ts';
import { nearest } from './suggest.ts';

/** How a command speaks to the person or the script that called it. */
export interface CommandOutput {
  /** True after `--json`: print only JSON documents on stdout. */
  readonly isJson: boolean;
  /** True when stdout is a terminal that shows colour. */
  readonly isColour: boolean;
  /** Columns of the terminal; 80 when it is none. */
  readonly columns: number;
  /** The result: with `--json` the value as JSON, else the text. */
  print(text: string, value?: unknown): void;
  /** Progress and remarks, on stderr; silent with `--json`. */
  note(text: string): void;
  /** One line on stderr that the next call overwrites (a terminal only); an empty text removes it. */
  progress(text: string): void;
  /** Asks on the terminal. @throws PlimsollError `invalid_argument` when there is nobody to ask */
  ask(question: string, fallback: string): Promise<string>;
}

export interface CommandRequest<O, C> {
  readonly options: O;
  readonly output: CommandOutput;
  readonly context: C;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

export interface CommandDefinition<S extends z.ZodObject, C> {
  /** `verb` or `room verb`, e.g. `config check`. */
  readonly name: string;
  readonly summary: string;
  readonly example: string;
  /** Options by name; `.describe()` is the help text. camelCase here, `--kebab-case` on the command line. */
  readonly options: S;
  /** Options that may be given without their name, in order. */
  readonly positionals?: readonly (keyof z.infer<S> & string)[];
  /** Beside 0 and 1. */
  readonly exitCodes?: Readonly<Record<number, string>>;
  run(request: CommandRequest<z.output<S>, C>): Promise<number | undefined>;
}

export interface Command<C> {
  readonly name: string;
  readonly summary: string;
  readonly example: string;
  readonly options: z.ZodObject;
  readonly positionals: readonly string[];
  readonly exitCodes: Readonly<Record<number, string>>;
  // biome-ignore lint/suspicious/noExplicitAny: options are parsed with the command's own schema just before the call
  run(request: CommandRequest<any, C>): Promise<number | undefined>;
}

export function defineCommand<C>() {
  return <S extends z.ZodObject>(definition: CommandDefinition<S, C>): Command<C> => ({
    ...definition,
    positionals: definition.positionals ?? [],
    exitCodes: { 0: 'done', 1: 'failed; the reason is on stderr', ...definition.exitCodes },
  });
}

export function optionFlag(name: string): string {
  return `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function isBoolean(schema: z.ZodType): boolean {
  return unwrap(schema).def.type === 'boolean';
}

function isList(schema: z.ZodType): boolean {
  return unwrap(schema).def.type === 'array';
}

/**
 * Reads a command's words against its schema. Numbers are converted by the schema (`z.coerce`).
 * @throws PlimsollError `invalid_argument` that names the option and the nearest valid one
 */
export function parseCommandOptions<C>(command: Command<C>, words: readonly string[]): Record<string, unknown> {
  const shape = command.options.shape as Record<string, z.ZodType>;
  const flags = new Map(Object.keys(shape).map((name) => [optionFlag(name).slice(2), name]));
  let parsed: { values: Record<string, unknown>; positionals: string[] };
  try {
    parsed = parseArgs({
      args: [...words],
      allowPositionals: true,
      strict: true,
      options: Object.fromEntries(
        [...flags].map(([flag, name]) => {
          const schema = shape[name] as z.ZodType;
          return [flag, { type: isBoolean(schema) ? ('boolean' as const) : ('string' as const), multiple: isList(schema) }];
        }),
      ),
    });
  } catch (error) {
    const unknown = /Unknown option '--?([^']+)'/.exec((error as Error).message)?.[1];
    const close = unknown ? nearest(unknown, flags.keys()) : null;
    const message = unknown ? `Unknown option --${unknown}${close ? `; did you mean --${close}?` : ''}` : (error as Error).message;
    throw new PlimsollError('invalid_argument', `${message} (see: plimsoll ${command.name} --help)`, { cause: error });
  }
  const input: Record<string, unknown> = {};
  for (const [flag, value] of Object.entries(parsed.values)) input[flags.get(flag) ?? flag] = value;
  parsed.positionals.forEach((value, index) => {
    const name = command.positionals[index];
    if (name === undefined)
      throw new PlimsollError('invalid_argument', `Unexpected argument "${value}" (see: plimsoll ${command.name} --help)`);
    input[name] ??= value;
  });
  const result = command.options.safeParse(input);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const name = String(issue?.path[0] ?? '');
  const value = input[name];
  const what = value === undefined ? `${optionFlag(name)} is required` : `${optionFlag(name)} ${JSON.stringify(value)}: ${issue?.message}`;
  throw new PlimsollError('invalid_argument', `${what} (see: plimsoll ${command.name} --help)`);
}

/** Help screen of one command. */
export function commandHelp<C>(command: Command<C>): string {
  const rows = Object.entries(command.options.shape as Record<string, z.ZodType>).map(([name, schema]) => {
    const initial = schema.safeParse(undefined);
    const remark = !initial.success ? ' (required)' : initial.data === undefined || isBoolean(schema) ? '' : ` (default: ${initial.data})`;
    const value = isBoolean(schema) ? '' : ' <value>';
    return [`${optionFlag(name)}${value}`, `${schema.description ?? unwrap(schema).description ?? ''}${remark}`] as const;
  });
  rows.push(['--json', 'Print JSON on stdout'], ['--help', 'Show this page']);
  const width = Math.max(...rows.map(([flag]) => flag.length));
  const shape = command.options.shape as Record<string, z.ZodType>;
  const positionals = command.positionals.map((name) => (shape[name]?.safeParse(undefined).success ? ` [${name}]` : ` <${name}>`)).join('');
  return [
    `${command.summary}`,
    '',
    `Usage: plimsoll ${command.name}${positionals} [options]`,
    '',
    'Options:',
    ...rows.map(([flag, text]) => `  ${flag.padEnd(width)}  ${text}`),
    '',
    `Example: ${command.example}`,
    '',
    'Exit codes:',
    ...Object.entries(command.exitCodes).map(([code, text]) => `  ${code.padStart(3)}  ${text}`),
  ].join('\n');
}
