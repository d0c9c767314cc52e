/**
 * Columns of the export, in the order of the FinOps Open Cost and Usage Specification, then ours (`x_`). Types are ClickHouse's; Parquet has their
 * counterparts. `isNullable` as the specification allows.
 * @see https://focus.finops.org/focus-specification/
 */
export interface FocusColumn {
  readonly name: string;
  readonly type: 'String' | 'Decimal(38, 12)' | "DateTime('UTC')" | 'UInt64';
  readonly isNullable: boolean;
}

const text = (name: string, isNullable = false): FocusColumn => ({ name, type: 'String', isNullable });
const money = (name: string, isNullable = false): FocusColumn => ({ name, type: 'Decimal(38, 12)', isNullable });
const time = (name: string): FocusColumn => ({ name, type: "DateTime('UTC')", isNullable: false });
const count = (name: string): FocusColumn => ({ name, type: 'UInt64', isNullable: false });

export const FOCUS_COLUMNS: readonly FocusColumn[] = [
  money('BilledCost'),
  text('BillingAccountId'),
  text('BillingAccountName'),
  text('BillingCurrency'),
  time('BillingPeriodEnd'),
  time('BillingPeriodStart'),
  text('ChargeCategory'),
  text('ChargeClass', true),
  text('ChargeDescription'),
  text('ChargeFrequency'),
  time('ChargePeriodEnd'),
  time('ChargePeriodStart'),
  money('ConsumedQuantity'),
  text('ConsumedUnit'),
  money('ContractedCost'),
  money('EffectiveCost'),
  text('InvoiceIssuerName'),
  money('ListCost'),
  text('PricingCategory'),
  text('PricingCurrency'),
  money('PricingQuantity'),
  text('PricingUnit'),
  text('ProviderName'),
  text('PublisherName'),
  text('ResourceId', true),
  text('ResourceName', true),
  text('ServiceCategory'),
  text('ServiceName'),
  text('ServiceSubcategory'),
  text('SkuId'),
  text('SkuPriceId', true),
  text('SubAccountId', true),
  text('SubAccountName', true),
  text('Tags'),
  text('x_Environment'),
  text('x_Feature'),
  text('x_Team', true),
  text('x_Customer', true),
  text('x_SharedCost', true),
  text('x_PromptVersion', true),
  text('x_TraceId', true),
  text('x_CallId', true),
  text('x_KeyId'),
  text('x_Operation', true),
  text('x_CostStatus'),
  count('x_Attempts'),
  count('x_InputUncachedTokens'),
  count('x_CacheReadTokens'),
  count('x_CacheWriteTokens'),
  count('x_AudioInputTokens'),
  count('x_OutputTextTokens'),
  count('x_ReasoningTokens'),
  count('x_AudioOutputTokens'),
];

/** day: a row for each day and what is charged alike; call: a row for each paid attempt, with its trace. */
export const FOCUS_GRAINS = ['day', 'call'] as const;
export type FocusGrain = (typeof FOCUS_GRAINS)[number];

export const FOCUS_FORMATS = ['csv', 'parquet'] as const;
export type FocusFormat = (typeof FOCUS_FORMATS)[number];
