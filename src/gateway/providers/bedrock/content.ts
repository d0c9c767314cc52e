import { refuse } from '../../hub/json.ts';
import type { HubPart } from '../../hub/messages.ts';
import type { DocumentFormat, ImageFormat, ToolResultContent } from './wire.ts';

const IMAGE_FORMATS: Readonly<Record<string, ImageFormat>> = {
  'image/png': 'png',
  'image/jpeg': 'jpeg',
  'image/jpg': 'jpeg',
  'image/gif': 'gif',
  'image/webp': 'webp',
};

const DOCUMENT_FORMATS: Readonly<Record<string, DocumentFormat>> = {
  'application/pdf': 'pdf',
  'text/csv': 'csv',
  'application/msword': 'doc',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': 'docx',
  'application/vnd.ms-excel': 'xls',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': 'xlsx',
  'text/html': 'html',
  'text/plain': 'txt',
  'text/markdown': 'md',
};

function formatOf<T>(formats: Readonly<Record<string, T>>, mediaType: string, param: string): T {
  const format = Object.hasOwn(formats, mediaType) ? formats[mediaType] : undefined;
  return format ?? refuse(param, `"${mediaType}" is not one of ${Object.keys(formats).join(', ')}`);
}

/** Bedrock takes letters, digits, single white space, hyphens, parentheses and square brackets, and each name once. */
function documentName(name: string | null, taken: Set<string>): string {
  const clean = (name ?? 'document')
    .replaceAll(/[^A-Za-z0-9\s()[\]-]/g, '-')
    .replaceAll(/\s+/g, ' ')
    .slice(0, 150);
  let unique = clean;
  for (let count = 2; taken.has(unique); count++) unique = `${clean} (${count})`;
  taken.add(unique);
  return unique;
}

/** One part; empty for a text of white space, which Bedrock refuses. @param documents names that are taken */
export function contentBlocks(part: HubPart, documents: Set<string>): ToolResultContent[] {
  switch (part.type) {
    case 'text':
      return part.text.trim() === '' ? [] : [{ text: part.text }];
    case 'image': {
      const format = formatOf(IMAGE_FORMATS, part.mediaType, `${part.param}.image_url.url`);
      return [{ image: { format, source: { bytes: part.data } } }];
    }
    case 'file': {
      const format = formatOf(DOCUMENT_FORMATS, part.mediaType, `${part.param}.file`);
      return [{ document: { format, name: documentName(part.name, documents), source: { bytes: part.data } } }];
    }
    case 'image_url':
      return refuse(
        `${part.param}.image_url.url`,
        'Bedrock needs the bytes of an image, and this gateway fetches nothing: send a base64 data: URL',
      );
    case 'audio':
      return refuse(part.param, 'audio cannot be sent to a Bedrock model');
    default:
      return part satisfies never;
  }
}
