import { idUnder, readHubAnswer } from '../../hub/answer.ts';
import type { JsonObject } from '../../hub/json.ts';
import {
  callItem,
  endingOf,
  type ItemStatus,
  messageItem,
  reasoningItem,
  refusalPart,
  responseObject,
  textPart,
  wantedReasoning,
} from './output.ts';

/** Hub `chat.completion` → response. @throws PlimsollError `provider_bad_response` */
export function encodeAnswer(completion: unknown, request: JsonObject): unknown {
  const answer = readHubAnswer(completion);
  const [choice] = answer.choices;
  if (choice === undefined) return null;
  const ending = endingOf(choice.finishReason);
  const status = ending.status as ItemStatus; // completed or incomplete
  const output: JsonObject[] = [];
  const wanted = wantedReasoning(request);
  const summary = wanted.summary ? choice.reasoning : '';
  const thinkingBlocks = wanted.sealed ? choice.thinkingBlocks : [];
  if (summary !== '' || thinkingBlocks.length > 0) output.push(reasoningItem(idUnder('rs_', answer.id), summary, thinkingBlocks));
  const parts: JsonObject[] = [];
  if (choice.text !== '') parts.push(textPart(choice.text));
  if (choice.refusal !== '') parts.push(refusalPart(choice.refusal));
  if (parts.length > 0) output.push(messageItem(idUnder('msg_', answer.id), parts, status));
  choice.toolCalls.forEach((call, index) => {
    const id = idUnder('fc_', `${answer.id}_${output.length}`);
    const named = { ...call, id: call.id ?? idUnder('call_', `${answer.id}_${index}`), arguments: call.arguments || '{}' };
    output.push(callItem(id, named, status));
  });
  return responseObject(answer, request, ending, output, answer.usage);
}
