/**
 * The part of Converse and ConverseStream that we send. Binary values are base64 in JSON.
 * @see https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
 */
export interface CachePoint {
  readonly cachePoint: { readonly type: 'default' };
}

export type ImageFormat = 'png' | 'jpeg' | 'gif' | 'webp';
export type DocumentFormat = 'pdf' | 'csv' | 'doc' | 'docx' | 'xls' | 'xlsx' | 'html' | 'txt' | 'md';

interface Source {
  readonly bytes: string;
}

export type ToolResultContent =
  | { readonly text: string }
  | { readonly image: { readonly format: ImageFormat; readonly source: Source } }
  | { readonly document: { readonly format: DocumentFormat; readonly name: string; readonly source: Source } };

export type ContentBlock =
  | ToolResultContent
  | CachePoint
  | { readonly toolUse: { readonly toolUseId: string; readonly name: string; readonly input: Readonly<Record<string, unknown>> } }
  | { readonly toolResult: { readonly toolUseId: string; readonly content: readonly ToolResultContent[]; readonly status?: 'error' } }
  | {
      readonly reasoningContent:
        | { readonly reasoningText: { readonly text: string; readonly signature?: string } }
        | { readonly redactedContent: string };
    };

export interface BedrockMessage {
  readonly role: 'user' | 'assistant';
  readonly content: ContentBlock[];
}

export interface ToolSpec {
  readonly name: string;
  readonly description?: string;
  readonly inputSchema: { readonly json: unknown };
  readonly strict?: boolean;
}

export interface BedrockRequest {
  readonly messages: readonly BedrockMessage[];
  readonly system?: readonly ({ readonly text: string } | CachePoint)[];
  readonly inferenceConfig?: {
    readonly maxTokens?: number;
    readonly temperature?: number;
    readonly topP?: number;
    readonly stopSequences?: readonly string[];
  };
  readonly toolConfig?: {
    readonly tools: readonly { readonly toolSpec: ToolSpec }[];
    readonly toolChoice?: { readonly auto: object } | { readonly any: object } | { readonly tool: { readonly name: string } };
  };
  readonly outputConfig?: {
    readonly textFormat: {
      readonly type: 'json_schema';
      readonly structure: { readonly jsonSchema: { readonly schema: string; readonly name: string; readonly description?: string } };
    };
  };
  readonly serviceTier?: { readonly type: 'priority' | 'default' | 'flex' };
  readonly additionalModelRequestFields?: Readonly<Record<string, unknown>>;
}
