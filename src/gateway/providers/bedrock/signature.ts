import aws4 from 'aws4';
import { PlimsollError } from '../../../kernel/errors.ts';
import type { Credentials } from '../../credentials.ts';
import type { Settings, SignableRequest } from '../../provider.ts';

/**
 * Signature version 4 over host, path, date, content type, session token and the hash of the body. A Bedrock API key needs none.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv4-create-signed-request.html
 */
export function signForBedrock(
  request: SignableRequest,
  credentials: Credentials,
  { region = '' }: Settings,
  nowMs: number,
): Record<string, string> {
  if (credentials.apiKey !== null) return {};
  const accessKeyId = credentials.secret('accessKeyId')?.reveal();
  const secretAccessKey = credentials.secret('secretAccessKey')?.reveal();
  if (accessKeyId === undefined || secretAccessKey === undefined)
    throw new PlimsollError('provider_auth_failed', 'Bedrock needs accessKeyId and secretAccessKey, or an API key.');
  const sessionToken = credentials.secret('sessionToken')?.reveal();
  const date = new Date(nowMs).toISOString().replaceAll(/[:-]|\.\d{3}/g, '');
  const { headers } = aws4.sign(
    {
      service: 'bedrock',
      region,
      method: 'POST',
      host: request.host,
      path: request.path,
      // What is named here is signed; the HTTP client sends the same length.
      headers: { 'content-type': request.contentType, 'x-amz-date': date, 'content-length': String(request.body.length) },
      body: request.body,
    },
    { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) },
  );
  return {
    'x-amz-date': date,
    ...(sessionToken === undefined ? {} : { 'x-amz-security-token': sessionToken }),
    authorization: headers.Authorization ?? '',
  };
}
