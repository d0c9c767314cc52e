import { PlimsollError } from '../../../kernel/errors.ts';

/** What stands in the path of a call: `/v1beta/models/{model}:{method}`. */
export interface GeminiPath {
  readonly model: string;
  readonly method: string;
  /** `alt=sse`: events; without it a stream is one JSON array. */
  readonly isEventStream: boolean;
}

/** @param path of the URL, with its query @throws PlimsollError `invalid_argument` */
export function parsePath(path: string): GeminiPath {
  const [resource = '', query = ''] = path.split('?', 2);
  const colon = resource.lastIndexOf(':');
  let model: string;
  try {
    model = decodeURIComponent(resource.slice(resource.indexOf('/models/') + '/models/'.length, colon));
  } catch (cause) {
    throw new PlimsollError('invalid_argument', 'The model name in the path is not valid percent-encoding.', { cause });
  }
  return { model, method: resource.slice(colon + 1), isEventStream: new URLSearchParams(query).get('alt') === 'sse' };
}
