/**
 * The part of `generateContent` (v1beta; the same at Vertex AI) that we send. A test holds these types to those of `@google/genai`.
 * @see https://ai.google.dev/api/generate-content
 */
export interface InlineData {
  readonly mimeType: string;
  /** Base64. */
  readonly data: string;
}

export type Part =
  | { readonly text: string }
  | { readonly inlineData: InlineData }
  | {
      readonly functionCall: { readonly id?: string; readonly name: string; readonly args: { [name: string]: unknown } };
      readonly thoughtSignature?: string;
    }
  | {
      readonly functionResponse: {
        readonly id?: string;
        readonly name: string;
        readonly response: { [name: string]: unknown };
        readonly parts?: { readonly inlineData: InlineData }[];
      };
    };

export interface Content {
  readonly role: 'user' | 'model';
  readonly parts: Part[];
}

export interface FunctionDeclaration {
  readonly name: string;
  readonly description?: string;
  readonly parametersJsonSchema?: unknown;
}

export interface ThinkingConfig {
  readonly includeThoughts?: boolean;
  readonly thinkingBudget?: number;
  readonly thinkingLevel?: 'MINIMAL' | 'LOW' | 'MEDIUM' | 'HIGH';
}

export interface GenerationConfig {
  readonly temperature?: number;
  readonly topP?: number;
  readonly topK?: number;
  readonly maxOutputTokens?: number;
  readonly stopSequences?: string[];
  readonly seed?: number;
  readonly presencePenalty?: number;
  readonly frequencyPenalty?: number;
  readonly responseMimeType?: string;
  readonly responseJsonSchema?: unknown;
  readonly thinkingConfig?: ThinkingConfig;
}

export interface GeminiRequest {
  readonly contents: Content[];
  readonly systemInstruction?: { readonly parts: { readonly text: string }[] };
  readonly tools?: { readonly functionDeclarations: FunctionDeclaration[] }[];
  readonly toolConfig?: {
    readonly functionCallingConfig: { readonly mode: 'AUTO' | 'ANY' | 'NONE'; readonly allowedFunctionNames?: string[] };
  };
  readonly generationConfig?: GenerationConfig;
  readonly labels?: { [name: string]: string };
}
