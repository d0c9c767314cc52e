import { z } from 'zod';
import { type Score, unmeasured, verdict } from '../score.ts';
import { defineScorer, type JsonValue, type Subject } from '../scorer.ts';
import { matchesGlob } from '../trajectory.ts';

interface Matcher {
  readonly name?: string | undefined;
  readonly pattern?: string | undefined;
}

const Name = z.string().trim().min(1);
const Count = z.number().int().min(0);
const Counted = z
  .strictObject({ name: Name.optional(), pattern: Name.optional(), min: Count.optional(), max: Count.optional() })
  .refine(({ name, pattern }) => name !== undefined || pattern !== undefined, 'give a name or a pattern')
  .refine(({ min = 0, max = Number.POSITIVE_INFINITY }) => min <= max, 'min must not be above max');
const Value = z.union([Name.transform((name) => [{ name }]), z.array(Name.transform((name) => ({ name }))).min(1), Counted]);

/** The skill that a call of the tool `Skill` names (Claude Code and the Agent SDK). */
function skillOf(given: JsonValue | null): string[] {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return [];
  const members = new Map(Object.entries(given));
  const name = members.get('skill') ?? members.get('command') ?? members.get('name');
  return typeof name === 'string' ? [name] : [];
}

/** Null when nothing is known of what the run called. */
function skillsOf({ spans, toolCalls }: Subject): string[] | null {
  if (spans === null)
    return toolCalls.length === 0 ? null : toolCalls.filter(({ name }) => name === 'Skill').flatMap((call) => skillOf(call.arguments));
  return spans.filter(({ toolName, isError }) => toolName === 'Skill' && !isError).flatMap(({ toolArguments }) => skillOf(toolArguments));
}

function judge(subject: Subject, judgeSkills: (skills: readonly string[]) => Score): Score {
  const skills = skillsOf(subject);
  return skills === null ? unmeasured('There is no trace of the run, and no tool call.') : judgeSkills(skills);
}

function isSkill(skill: string, { name, pattern }: Matcher): boolean {
  return (name === undefined || skill === name) && (pattern === undefined || matchesGlob(skill, pattern));
}

const used = (skills: readonly string[]): string => `used: ${skills.join(', ').slice(0, 300) || 'none'}.`;

export default defineScorer({
  names: ['skill-used'],
  summary: 'The agent used these skills: all of a list, or one so many times.',
  source:
    'promptfoo; skills are read from calls of the tool `Skill` that did not fail. `not-` with a list passes when none was used, with an object when it was never used; it takes no bounds but `max: 0`.',
  direction: 'higher',
  needs: [],
  options: z.strictObject({ value: Value.describe('Name, a list of names, or { name or pattern, min, max }') }),
  score: (subject, { value }) =>
    judge(subject, (skills) => {
      if (Array.isArray(value))
        return verdict(
          value.every((matcher) => skills.some((skill) => isSkill(skill, matcher))),
          used(skills),
        );
      const count = skills.filter((skill) => isSkill(skill, value)).length;
      const least = value.min ?? (value.max === undefined ? 1 : 0);
      return verdict(count >= least && count <= (value.max ?? Number.POSITIVE_INFINITY), `${count} times; ${used(skills)}`);
    }),
  scoreNegated: (subject, { value }) => {
    if (!Array.isArray(value) && (value.min !== undefined || (value.max ?? 0) !== 0))
      throw new Error('not-skill-used takes a name or a pattern, and no bounds but max: 0');
    const matchers: readonly Matcher[] = Array.isArray(value) ? value : [value];
    return judge(subject, (skills) => verdict(!matchers.some((matcher) => skills.some((skill) => isSkill(skill, matcher))), used(skills)));
  },
});
