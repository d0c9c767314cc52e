import type { Credentials } from '../../credentials.ts';
import type { Settings, TokenGrant } from '../../provider.ts';

/**
 * Client credentials of a Microsoft Entra application.
 * @see https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
 */
export function entraGrant(credentials: Credentials, { tenantId, clientId, authority }: Settings): TokenGrant | null {
  const secret = credentials.secret('clientSecret');
  if (secret === null || tenantId === undefined || clientId === undefined) return null;
  return {
    id: `entra ${authority} ${tenantId} ${clientId}`,
    url: `${authority}/${tenantId}/oauth2/v2.0/token`,
    form: () =>
      Promise.resolve({
        grant_type: 'client_credentials',
        client_id: clientId,
        client_secret: secret.reveal(),
        scope: 'https://cognitiveservices.azure.com/.default',
      }),
  };
}
