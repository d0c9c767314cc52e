import { PlimsollError } from '../../kernel/errors.ts';
import type { JudgeReply, JudgeRequest, ScoringTools } from '../scorer.ts';
import type { ReplyReader } from './read-reply.ts';

/** One question and two more chances: with one unreadable reply in ten, one question in a thousand stays without an answer. */
const ATTEMPTS = 3;
const QUOTED_CHARACTERS = 2000;

export interface JudgeQuestion<T> extends JudgeRequest {
  readonly read: ReplyReader<T>;
}

export interface JudgeAnswer<T> {
  readonly value: T;
  readonly reply: JudgeReply;
}

/**
 * Asks until the reply can be read, at most three times; each further request quotes what could not be read and says why.
 * @throws PlimsollError `judge_unreadable` when no reply could be read; what the gateway throws is passed on
 */
export async function askJudge<T>(tools: ScoringTools, { read, ...request }: JudgeQuestion<T>): Promise<JudgeAnswer<T>> {
  let messages = request.messages;
  let problem = '';
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const reply = await tools.judge({ ...request, messages });
    const reading = read(reply.text);
    if ('value' in reading) return { value: reading.value, reply };
    problem = reading.problem;
    messages = withComplaint(request.messages, reply.text, problem);
  }
  throw new PlimsollError('judge_unreadable', `The judge was asked ${ATTEMPTS} times; its last reply could not be read: ${problem}.`, {
    details: { attempts: ATTEMPTS, problem },
  });
}

function withComplaint(messages: JudgeRequest['messages'], reply: string, problem: string): JudgeRequest['messages'] {
  const last = messages.at(-1) ?? { role: 'user' as const, content: '' };
  const quoted = reply.length > QUOTED_CHARACTERS ? `${reply.slice(0, QUOTED_CHARACTERS)} […]` : reply;
  const complaint = `Your reply to this could not be read: ${problem}. This is what you wrote:\n<your_reply>\n${quoted}\n</your_reply>\nAnswer again, in exactly the form that was asked for and with nothing else.`;
  // Within the last message: some providers refuse two messages of one role in a row.
  return [...messages.slice(0, -1), { role: last.role, content: `${last.content}\n\n${complaint}` }];
}
