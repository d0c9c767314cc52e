import type { AnswerFacts } from './provider.ts';

/** Reads the body of an answer with status 200. */
export interface AnswerReader {
  readonly facts: AnswerFacts;
  /** Content has gone to the client: no other target may answer this call. */
  readonly hasStarted: boolean;
  /** The answer is complete although the provider has not closed its side. */
  readonly isDone: boolean;
  /**
   * @param nowMs monotonic milliseconds
   * @throws PlimsollError when the answer is not what it should be
   */
  onData(chunk: Buffer, nowMs: number): void;
  /** The body ended as HTTP says it should. @throws PlimsollError when the answer in it is not complete */
  onEnd(): void;
}

/** How a reader holds the provider back while the client is behind. */
export interface FlowControl {
  pause(): void;
  resume(): void;
  /**
   * Asks to be the answer of the call. Nothing may go to the client, or be kept on the call, before this was granted.
   * @param isContent false = only signs of life so far: granted to nobody, so that another target can still answer
   */
  claim(isContent: boolean): boolean;
}
