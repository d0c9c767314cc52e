import { z } from 'zod';
import { defineCommand } from '../../kernel/commands.ts';
import type { CliContext } from '../cli.ts';
import { examine, type Finding } from '../doctor.ts';
import { countOf } from '../format.ts';

const MARKS: Readonly<Record<Finding['level'], string>> = { ok: '●', warning: '▲', problem: '■' };

export default defineCommand<CliContext>()({
  name: 'doctor',
  summary: 'Look for everything that could go wrong on this machine',
  example: 'plimsoll doctor',
  options: z.strictObject({ offline: z.boolean().default(false).describe('Do not reach out to providers') }),
  exitCodes: { 1: 'at least one problem was found' },
  async run({ options, output, context, signal }) {
    output.progress('looking …');
    const findings = await examine({ environment: context.environment, client: context.client, isOffline: options.offline, signal });
    output.progress('');
    const problems = findings.filter((finding) => finding.level === 'problem').length;
    const warnings = findings.filter((finding) => finding.level === 'warning').length;
    const lines = findings.map(
      (finding) => `${MARKS[finding.level]} ${finding.subject}: ${finding.message}${finding.fix ? `\n    → ${finding.fix}` : ''}`,
    );
    output.print([...lines, '', `${countOf(problems, 'problem')}, ${countOf(warnings, 'warning')}`].join('\n'), {
      findings,
      problems,
      warnings,
    });
    return problems > 0 ? 1 : 0;
  },
});
