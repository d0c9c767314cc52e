import { useMutation, useQueryClient } from '@tanstack/react-query';
import { api, unwrap } from '../api/client.ts';
import type { CostStatement } from '../api/schema.ts';

/** Freezes a month. Takes the reason, which is needed for every version but the first. */
export function useIssue(month: string, onIssued: () => void) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (reason: string) =>
      unwrap<CostStatement>(api.POST('/api/v1/costs/statements', { body: { month, ...(reason === '' ? {} : { reason }) } })),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: ['costs', 'statements'] });
      onIssued();
    },
  });
}
