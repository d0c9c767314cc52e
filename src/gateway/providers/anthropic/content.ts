import { isObject, type JsonObject, refuse } from '../../hub/json.ts';
import { type CacheControl, type ContentBlock, type DocumentBlock, IMAGE_TYPES, type ImageBlock, type TextBlock } from './wire.ts';

function parseDataUrl(url: string): { mediaType: string; data: string } | null {
  const match = /^data:([^;,]+);base64,/i.exec(url);
  return match ? { mediaType: (match[1] ?? '').toLowerCase(), data: url.slice(match[0].length) } : null;
}

/** Anthropic's `cache_control`, which its users put on OpenAI content parts and tools too, is kept. */
export function cacheControl(part: JsonObject): { cache_control?: CacheControl } {
  if (!isObject(part.cache_control)) return {};
  const { ttl } = part.cache_control;
  return { cache_control: { type: 'ephemeral', ...(ttl === '5m' || ttl === '1h' ? { ttl } : {}) } };
}

function imageBlock(part: JsonObject, param: string, warnings: Set<string>): ImageBlock {
  const image = part.image_url;
  const url = isObject(image) ? image.url : image;
  if (typeof url !== 'string') return refuse(`${param}.image_url.url`, 'a data: or https: URL is needed');
  if (isObject(image) && image.detail !== undefined && image.detail !== 'auto')
    warnings.add('image_url.detail is not sent: Anthropic models have no such setting');
  const inline = parseDataUrl(url);
  if (inline) {
    const { mediaType, data } = inline;
    const type = IMAGE_TYPES.find((known) => known === (mediaType === 'image/jpg' ? 'image/jpeg' : mediaType));
    if (type === undefined) return refuse(`${param}.image_url.url`, `"${mediaType}" is not one of ${IMAGE_TYPES.join(', ')}`);
    return { type: 'image', source: { type: 'base64', media_type: type, data }, ...cacheControl(part) };
  }
  if (!/^https?:\/\//i.test(url)) return refuse(`${param}.image_url.url`, 'neither a base64 data: URL nor http(s)');
  return { type: 'image', source: { type: 'url', url }, ...cacheControl(part) };
}

function fileBlock(part: JsonObject, param: string): DocumentBlock {
  const file = isObject(part.file) ? part.file : {};
  const inline = typeof file.file_data === 'string' ? parseDataUrl(file.file_data) : null;
  if (inline === null)
    return refuse(`${param}.file`, 'only file_data as a base64 data: URL can be sent to Anthropic; file ids belong to OpenAI');
  if (inline.mediaType !== 'application/pdf') return refuse(`${param}.file`, `"${inline.mediaType}" is not application/pdf`);
  const title = typeof file.filename === 'string' ? { title: file.filename } : {};
  return {
    type: 'document',
    source: { type: 'base64', media_type: 'application/pdf', data: inline.data },
    ...title,
    ...cacheControl(part),
  };
}

/** Text blocks must hold more than white space at Anthropic; others are left out. */
export function textBlock(text: string, extra: { cache_control?: CacheControl } = {}): TextBlock[] {
  return text.trim() === '' ? [] : [{ type: 'text', text, ...extra }];
}

/**
 * OpenAI message content → blocks.
 * @param allowed part types besides text that this role may have
 */
export function contentBlocks(content: unknown, param: string, allowed: readonly string[], warnings: Set<string>): ContentBlock[] {
  if (content === null || content === undefined) return [];
  if (typeof content === 'string') return textBlock(content);
  if (!Array.isArray(content)) return refuse(param, 'a string or an array of content parts is needed');
  return content.flatMap((part: unknown, index): ContentBlock[] => {
    const at = `${param}[${index}]`;
    if (!isObject(part)) return refuse(at, 'not a content part');
    if (part.type === 'text') {
      if (typeof part.text !== 'string') return refuse(`${at}.text`, 'a string is needed');
      return textBlock(part.text, cacheControl(part));
    }
    if (part.type === 'refusal' && allowed.includes('refusal')) return textBlock(typeof part.refusal === 'string' ? part.refusal : '');
    if (part.type === 'image_url' && allowed.includes('image_url')) return [imageBlock(part, at, warnings)];
    if (part.type === 'file' && allowed.includes('file')) return [fileBlock(part, at)];
    return refuse(at, `a content part of type "${String(part.type)}" cannot be sent to an Anthropic model here`);
  });
}
