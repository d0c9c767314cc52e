import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { z } from 'zod';
import { defineCommand } from '../../kernel/commands.ts';
import { PlimsollError } from '../../kernel/errors.ts';
import type { CliContext } from '../cli.ts';
import { firstConfig, firstEval, firstPrompt, PROVIDER_CHOICES } from '../first-files.ts';

const Name = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'use small letters, digits and dashes, e.g. customer-support');

export default defineCommand<CliContext>()({
  name: 'init',
  summary: 'Write a commented plimsoll.yaml, a first prompt and a first eval',
  example: 'plimsoll init --provider openai --feature customer-support --owner support-team --cost-owner finance@example.com',
  options: z.strictObject({
    provider: z
      .enum(PROVIDER_CHOICES)
      .optional()
      .describe(`Where the models are: ${PROVIDER_CHOICES.join(', ')}`),
    feature: Name.optional().describe('Name of the first LLM feature'),
    owner: z.string().min(1).max(128).optional().describe('Team or person who answers for it'),
    costOwner: z.email().optional().describe('E-mail of who pays for it'),
    directory: z.string().default('.').describe('Where to write'),
    force: z.boolean().default(false).describe('Replace files that exist'),
  }),
  async run({ options, output }) {
    const ask = async (given: string | undefined, question: string, fallback: string): Promise<string> =>
      given ?? (await output.ask(question, fallback));
    const provider = z
      .enum(PROVIDER_CHOICES)
      .safeParse(await ask(options.provider, `1/4  Where are your models? (${PROVIDER_CHOICES.join(', ')})`, 'sim'));
    if (!provider.success) throw new PlimsollError('invalid_argument', `Choose one of: ${PROVIDER_CHOICES.join(', ')}`);
    const feature = Name.safeParse(await ask(options.feature, '2/4  Name of the first LLM feature?', 'customer-support'));
    if (!feature.success) throw new PlimsollError('invalid_argument', `The feature's name: ${feature.error.issues[0]?.message}`);
    const owner = await ask(options.owner, '3/4  Which team answers for it?', 'my-team');
    const costOwner = z.email().safeParse(await ask(options.costOwner, '4/4  E-mail of who pays for it?', 'finance@example.com'));
    if (!costOwner.success) throw new PlimsollError('invalid_argument', 'The cost owner must be an e-mail address');
    const answers = { provider: provider.data, feature: feature.data, owner, costOwner: costOwner.data };
    const files = [
      { path: join(options.directory, 'plimsoll.yaml'), text: firstConfig(answers) },
      { path: join(options.directory, 'prompts', `${answers.feature}.prompt`), text: firstPrompt(answers) },
      { path: join(options.directory, 'evals', `${answers.feature}.yaml`), text: firstEval(answers) },
    ];
    const existing = files.filter((file) => existsSync(file.path));
    if (existing.length > 0 && !options.force)
      throw new PlimsollError(
        'conflict',
        `${existing.map((file) => file.path).join(', ')} ${existing.length === 1 ? 'exists' : 'exist'} already; use --force to replace. Nothing was written`,
      );
    for (const file of files) {
      mkdirSync(dirname(file.path), { recursive: true });
      writeFileSync(file.path, file.text);
    }
    const written = files.map((file) => relative('.', file.path));
    output.print(
      `Wrote ${written.join(', ')}.\n\nNext: ${provider.data === 'sim' || provider.data === 'ollama' ? '' : `export ${provider.data === 'openai' ? 'OPENAI_API_KEY' : 'ANTHROPIC_API_KEY'}=…, then `}"plimsoll doctor" and "plimsoll serve".`,
      { written },
    );
    return 0;
  },
});
