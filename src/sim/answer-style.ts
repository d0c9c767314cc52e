import type { ModelProfile } from './config.ts';
import { detectLanguage, PHRASES } from './general-answers.ts';

/** The text without Markdown marks, on one line. */
export function plainText(markdown: string): string {
  return markdown
    .replace(/```[\s\S]*?```/g, '')
    .replace(/[*_`#>|]/g, '')
    .replace(/\s+/g, ' ')
    .trim();
}

/** The first sentence of a text, without Markdown. */
export function firstSentence(markdown: string): string {
  const plain = plainText(markdown);
  return /^.{8,}?[.!?](?=\s|$)/.exec(plain)?.[0] ?? plain.slice(0, 160);
}

/** Says an answer in the manner of a model. A text that is all code or table stays as it is where a manner would leave nothing of it. */
export function styleAnswer(answer: string, question: string, style: ModelProfile['style']): string {
  switch (style) {
    case 'standard':
      return answer;
    case 'terse':
      return firstSentence(answer) || answer;
    case 'chatty': {
      const { small } = PHRASES[detectLanguage(question)];
      return `${small.opener}\n\n${answer}\n\n${small.closer}`;
    }
    case 'bullets': {
      const sentences = plainText(answer).match(/.+?[.!?](?=\s|$)|.+$/g) ?? [];
      return sentences.length === 0 ? answer : sentences.map((sentence) => `- ${sentence.trim()}`).join('\n');
    }
  }
}
