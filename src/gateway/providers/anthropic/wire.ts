/**
 * The part of `POST /v1/messages` (anthropic-version 2023-06-01) that we send. A test holds these types to those of `@anthropic-ai/sdk`,
 * which has dropped the sampling parameters that older models still take.
 */
export interface CacheControl {
  readonly type: 'ephemeral';
  readonly ttl?: '5m' | '1h';
}
interface Cacheable {
  readonly cache_control?: CacheControl;
}

export const IMAGE_TYPES = ['image/jpeg', 'image/png', 'image/gif', 'image/webp'] as const;
export type ImageType = (typeof IMAGE_TYPES)[number];

export interface TextBlock extends Cacheable {
  readonly type: 'text';
  readonly text: string;
}
export interface ImageBlock extends Cacheable {
  readonly type: 'image';
  readonly source:
    | { readonly type: 'base64'; readonly media_type: ImageType; readonly data: string }
    | { readonly type: 'url'; readonly url: string };
}
export interface DocumentBlock extends Cacheable {
  readonly type: 'document';
  readonly source: { readonly type: 'base64'; readonly media_type: 'application/pdf'; readonly data: string };
  readonly title?: string;
}
export interface ThinkingBlock {
  readonly type: 'thinking';
  readonly thinking: string;
  readonly signature: string;
}
export interface RedactedThinkingBlock {
  readonly type: 'redacted_thinking';
  readonly data: string;
}
export interface ToolUseBlock extends Cacheable {
  readonly type: 'tool_use';
  readonly id: string;
  readonly name: string;
  readonly input: Readonly<Record<string, unknown>>;
}
export interface ToolResultBlock extends Cacheable {
  readonly type: 'tool_result';
  readonly tool_use_id: string;
  readonly content?: string | ContentBlock[];
  readonly is_error?: boolean;
}
/** What OpenAI content parts become. */
export type ContentBlock = TextBlock | ImageBlock | DocumentBlock;
export type Block = ContentBlock | ThinkingBlock | RedactedThinkingBlock | ToolUseBlock | ToolResultBlock;

export interface AnthropicMessage {
  readonly role: 'user' | 'assistant';
  readonly content: Block[];
}

export interface AnthropicTool extends Cacheable {
  readonly name: string;
  readonly description?: string;
  readonly input_schema: { readonly type: 'object'; readonly [keyword: string]: unknown };
  readonly strict?: boolean;
}

export type ToolChoice =
  | { readonly type: 'auto' | 'any'; readonly disable_parallel_tool_use?: boolean }
  | { readonly type: 'tool'; readonly name: string; readonly disable_parallel_tool_use?: boolean }
  | { readonly type: 'none' };

export type Effort = 'low' | 'medium' | 'high' | 'xhigh' | 'max';
export type Thinking =
  | { readonly type: 'adaptive' }
  | { readonly type: 'enabled'; readonly budget_tokens: number }
  | { readonly type: 'disabled' };

export interface OutputConfig {
  readonly effort?: Effort;
  readonly format?: { readonly type: 'json_schema'; readonly schema: { [keyword: string]: unknown } };
}

export interface Sampling {
  readonly temperature?: number;
  readonly top_p?: number;
  readonly top_k?: number;
}

export interface AnthropicRequest extends Sampling {
  readonly model: string;
  readonly max_tokens: number;
  readonly system?: string | TextBlock[];
  readonly messages: AnthropicMessage[];
  readonly tools?: AnthropicTool[];
  readonly tool_choice?: ToolChoice;
  readonly thinking?: Thinking;
  readonly stop_sequences?: string[];
  readonly output_config?: OutputConfig;
  readonly metadata?: { readonly user_id: string };
  readonly service_tier?: 'standard_only';
  readonly stream?: true;
}
