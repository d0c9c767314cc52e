/**
 * A budget of thinking tokens as `reasoning_effort`: the hub knows levels. The borders lie between the budgets that the levels stand for
 * where they are turned into budgets again (1 024, 4 096, 16 384).
 */
export function effortOfBudget(budgetTokens: number): string {
  if (budgetTokens <= 0) return 'none';
  if (budgetTokens < 2048) return 'low';
  return budgetTokens < 8192 ? 'medium' : 'high';
}
