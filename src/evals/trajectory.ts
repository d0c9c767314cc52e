import type { JsonValue, Subject, TracedSpan } from './scorer.ts';

export type StepType = 'tool' | 'command' | 'search' | 'reasoning' | 'message' | 'span';

/** One span of a run, as promptfoo's trajectory assertions see it. */
export interface Step {
  readonly type: StepType;
  readonly name: string;
  /** Names under which a pattern finds it. */
  readonly aliases: readonly string[];
  readonly arguments: JsonValue | null;
}

export interface StepMatcher {
  readonly pattern?: string | undefined;
  readonly name?: string | undefined;
  readonly type?: StepType | readonly StepType[] | undefined;
}

/** Tools that run a command line: their calls are commands. */
const COMMAND_TOOLS = new Set(['exec_command', 'local_shell', 'shell']);

/** `*` = any characters, `?` = one; in capitals or not. Linear but for the stars, which are few. */
export function matchesGlob(text: string, pattern: string): boolean {
  const [subject, wanted] = [text.toLowerCase(), pattern.toLowerCase()];
  let [at, from] = [0, 0];
  let [star, retry] = [-1, 0];
  while (at < subject.length) {
    if (from < wanted.length && wanted[from] === '*') {
      star = from++;
      retry = at;
    } else if (from < wanted.length && (wanted[from] === '?' || wanted[from] === subject[at])) {
      from++;
      at++;
    } else if (star >= 0) {
      from = star + 1;
      at = ++retry;
    } else return false;
  }
  while (wanted[from] === '*') from++;
  return from === wanted.length;
}

function commandOf({ name, toolName, toolArguments }: TracedSpan): string | null {
  const isTool = toolName !== null && COMMAND_TOOLS.has(toolName.trim().toLowerCase());
  if (isTool && typeof toolArguments === 'object' && toolArguments !== null && !Array.isArray(toolArguments)) {
    const given = new Map(Object.entries(toolArguments));
    const command = given.get('cmd') ?? given.get('command') ?? given.get('commands');
    if (typeof command === 'string' && command.trim() !== '') return command.trim();
    if (Array.isArray(command) && command.length > 0)
      return command.map((part) => String(part).trim()).join(given.has('cmd') || given.has('command') ? ' ' : '; ');
  }
  return name.startsWith('exec ') ? name.slice('exec '.length).trim() || null : null;
}

function stepOf(span: TracedSpan): Step {
  const { name, toolName, toolArguments } = span;
  const step = (type: StepType, called: string, others: readonly (string | null | undefined)[] = []): Step => ({
    type,
    name: called,
    aliases: [name, called, ...others.filter((each): each is string => typeof each === 'string')],
    arguments: type === 'tool' || type === 'command' ? toolArguments : null,
  });
  const command = commandOf(span);
  if (command !== null) return step('command', command, [toolName, command.split(/\s+/)[0]]);
  if (toolName !== null) return step('tool', toolName);
  if (name.startsWith('search ')) return step('search', name.slice('search '.length).replace(/^"|"$/g, '').trim());
  if (/^reasoning([_\s]|$)/i.test(name)) return step('reasoning', name, ['reasoning']);
  if (name === 'agent response' || name === 'send input') return step('message', name, ['message']);
  return step('span', name);
}

/** What a run did, in the order in which it began. Null without a trace. */
export function stepsOf({ spans }: Subject): readonly Step[] | null {
  if (spans === null) return null;
  return spans
    .map((span, index) => ({ span, index }))
    .sort((a, b) => a.span.startMs - b.span.startMs || a.span.durationMs - b.span.durationMs || a.index - b.index)
    .map(({ span }) => stepOf(span));
}

export function matchesStep(step: Step, { pattern, name, type }: StepMatcher): boolean {
  if (type !== undefined && !(typeof type === 'string' ? [type] : type).includes(step.type)) return false;
  const wanted = pattern ?? name;
  return wanted === undefined || step.aliases.some((alias) => matchesGlob(alias, wanted));
}

export function listed(steps: readonly Step[]): string {
  return (
    steps
      .map(({ type, name }) => `${type}:${name}`)
      .join(', ')
      .slice(0, 300) || 'none'
  );
}
