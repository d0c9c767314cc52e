import type { JudgeReply, JudgeRequest, ScoringTools } from '../scorer.ts';

/** One case with fifty passages must not put fifty questions at once before those of all other cases. */
const AT_ONCE = 8;

/**
 * The same tools, with at most eight questions to the judge under way at once; the others wait in turn. When one fails, those that wait fail with it: the
 * score that they are for is lost, and they would be paid for in vain.
 */
export function boundedTools(tools: ScoringTools): ScoringTools {
  let running = 0;
  let waiting: { readonly go: () => void; readonly drop: (error: unknown) => void }[] = [];
  const judge = async (request: JudgeRequest): Promise<JudgeReply> => {
    // Who is woken takes over the place of who is done, which stays counted.
    if (running >= AT_ONCE) await new Promise<void>((go, drop) => waiting.push({ go, drop }));
    else running++;
    try {
      return await tools.judge(request);
    } catch (error) {
      for (const { drop } of waiting) drop(error);
      waiting = [];
      throw error;
    } finally {
      const next = waiting.shift();
      if (next === undefined) running--;
      else next.go();
    }
  };
  return {
    judge,
    embed: (texts) => tools.embed(texts),
    moderate: (text) => tools.moderate(text),
    ...(tools.scripts === undefined ? {} : { scripts: tools.scripts }),
  };
}
