import { isObject, type JsonObject, refuse } from '../../hub/json.ts';

/** Anthropic's `cache_control` stays on the hub's parts: providers that can use it read it there. */
export function cacheControl(block: JsonObject): { cache_control?: JsonObject } {
  return isObject(block.cache_control) ? { cache_control: block.cache_control } : {};
}

function text(block: JsonObject, name: string, param: string): string {
  const value = block[name];
  return typeof value === 'string' ? value : refuse(`${param}.${name}`, 'a string is needed');
}

function source(block: JsonObject, param: string): JsonObject {
  return isObject(block.source) ? block.source : refuse(`${param}.source`, 'an object is needed');
}

function refuseSource(from: JsonObject, param: string): never {
  const why =
    from.type === 'file' ? 'file ids belong to Anthropic; send the content as base64' : `"${String(from.type)}" cannot be translated`;
  return refuse(`${param}.source`, why);
}

function imagePart(block: JsonObject, param: string): JsonObject {
  const from = source(block, param);
  if (block.transformations !== undefined && block.transformations !== null)
    refuse(`${param}.transformations`, 'only Anthropic can transform images');
  let url: string;
  if (from.type === 'base64') url = `data:${text(from, 'media_type', `${param}.source`)};base64,${text(from, 'data', `${param}.source`)}`;
  else if (from.type === 'url') url = text(from, 'url', `${param}.source`);
  else return refuseSource(from, param);
  return { type: 'image_url', image_url: { url }, ...cacheControl(block) };
}

function documentParts(block: JsonObject, param: string, warnings: Set<string>): JsonObject[] {
  const from = source(block, param);
  if (isObject(block.citations) && block.citations.enabled === true)
    warnings.add('citations are not made: the model that answers has no such feature');
  const title = typeof block.title === 'string' ? block.title : null;
  const heading = [title, typeof block.context === 'string' ? block.context : null].filter((line) => line !== null);
  switch (from.type) {
    case 'base64': {
      const data = `data:${text(from, 'media_type', `${param}.source`)};base64,${text(from, 'data', `${param}.source`)}`;
      return [{ type: 'file', file: { filename: title ?? 'document.pdf', file_data: data }, ...cacheControl(block) }];
    }
    case 'text':
      return [{ type: 'text', text: [...heading, text(from, 'data', `${param}.source`)].join('\n'), ...cacheControl(block) }];
    case 'content': {
      const parts = contentParts(from.content, `${param}.source.content`, warnings);
      return heading.length === 0 ? parts : [{ type: 'text', text: heading.join('\n') }, ...parts];
    }
    default:
      return refuseSource(from, param);
  }
}

function searchResultPart(block: JsonObject, param: string): JsonObject {
  const body = Array.isArray(block.content) ? block.content : [];
  const texts = body.map((part, index) => (isObject(part) ? text(part, 'text', `${param}.content[${index}]`) : ''));
  return {
    type: 'text',
    text: [text(block, 'title', param), text(block, 'source', param), ...texts].join('\n'),
    ...cacheControl(block),
  };
}

/**
 * What a block that is not about tools or thinking becomes in the hub: content parts.
 * @throws PlimsollError `invalid_argument` for a block that only Anthropic understands
 */
export function blockParts(block: JsonObject, param: string, warnings: Set<string>): JsonObject[] {
  switch (block.type) {
    case 'text':
      return [{ type: 'text', text: text(block, 'text', param), ...cacheControl(block) }];
    case 'image':
      return [imagePart(block, param)];
    case 'document':
      return documentParts(block, param, warnings);
    case 'search_result':
      return [searchResultPart(block, param)];
    default:
      return refuse(`${param}.type`, `a "${String(block.type)}" block can only be sent to an Anthropic provider`);
  }
}

/** Anthropic content → parts of the hub. @throws PlimsollError `invalid_argument` */
export function contentParts(content: unknown, param: string, warnings: Set<string>): JsonObject[] {
  if (content === undefined || content === null) return [];
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', text: content }];
  if (!Array.isArray(content)) return refuse(param, 'a string or an array of content blocks is needed');
  return content.flatMap((block: unknown, index) =>
    isObject(block) ? blockParts(block, `${param}[${index}]`, warnings) : refuse(`${param}[${index}]`, 'not a content block'),
  );
}

/** One plain text is a string in the hub: the form that every server takes. */
export function asContent(parts: readonly JsonObject[]): string | readonly JsonObject[] {
  const [only] = parts;
  return parts.length === 1 && only?.type === 'text' && only.cache_control === undefined ? (only.text as string) : parts; // a text part's text is a string
}
