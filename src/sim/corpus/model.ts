/** Texts of an imaginary company, Tidemark Supply, that sells rope, sails and outdoor gear: what its four LLM features are asked and answer. */
export interface CorpusToolUse {
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  /** What the company's system gives back. */
  readonly result: Readonly<Record<string, unknown>>;
}

export interface CorpusTurn {
  readonly question: string;
  /** Calls that the model makes before it answers, all in one message. */
  readonly tools?: readonly CorpusToolUse[];
  readonly answer: string;
  /** Made for the question instead of written: what a tool gives back counts more than this answer. */
  readonly isMade?: boolean;
}

export type CorpusLanguage = 'en' | 'de' | 'fr' | 'es' | 'pt';

export interface CorpusConversation {
  readonly language: CorpusLanguage;
  readonly turns: readonly [CorpusTurn, ...CorpusTurn[]];
}

export interface CorpusTool {
  readonly name: string;
  readonly description: string;
  /** JSON schema of the arguments. */
  readonly parameters: Readonly<Record<string, unknown>>;
}

export interface CorpusFeature {
  readonly name: string;
  readonly team: string;
  readonly systemPrompt: string;
  readonly tools: readonly CorpusTool[];
  readonly conversations: readonly CorpusConversation[];
}
