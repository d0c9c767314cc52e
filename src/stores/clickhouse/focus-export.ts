import type { Readable } from 'node:stream';
import type { CostPeriod } from '../../costs/cost-queries.ts';
import { FOCUS_COLUMNS, type FocusFormat, type FocusGrain } from '../../costs/focus/columns.ts';
import type { SharedRule } from '../../costs/shared/config.ts';
import type { Scope } from '../../kernel/scope.ts';
import type { ClickHouseConnection } from './client.ts';
import { attemptRows } from './cost-attempts.ts';
import { sharedRuleColumn } from './cost-statements.ts';
import { periodParameters } from './ledger-conditions.ts';

const PICO = '1000000000000';
const MONEY = 'Decimal(38, 12)';

/** Whole pico-dollars → exact dollars. A division of decimals would round. */
function dollars(pico: string): string {
  return `toDecimal128(concat(if(${pico} < 0, '-', ''), toString(intDiv(abs(${pico}), ${PICO})), '.', leftPad(toString(modulo(abs(${pico}), ${PICO})), 12, '0')), 12)`;
}

const tokens = (name: string): string => `sum(attempt.usage.${name})`;
const nullable = (expression: string): string => `nullIf(${expression}, '')`;
const CALL_COLUMNS = `call_id, trace_id, started_at_ms, feature, team, customer, key_id, operation, tags`;

/** What of a row makes it another one: day by day, or attempt by attempt. */
const KEYS = {
  day: 'period_ms, feature, team, customer, key_id, operation, shared, tag_text, prompt_version, provider, model, price_id, cost_status',
  call: 'period_ms, feature, team, customer, key_id, operation, shared, tag_text, prompt_version, provider, model, price_id, cost_status, call_id, trace_id, attempt',
} as const satisfies Record<FocusGrain, string>;
const STEP_MS = { day: 86_400_000, call: 3_600_000 } as const satisfies Record<FocusGrain, number>;

/** Every column of the specification, from the grouped rows. `is_call` is our own word. */
function columnsOf(grain: FocusGrain): Readonly<Record<string, string>> {
  const cost = dollars('cost');
  const month = "toStartOfMonth(toDateTime(intDiv(period_ms, 1000), 'UTC'))";
  const quantity = `toDecimal128(all_tokens, 12)`;
  return {
    BilledCost: cost,
    BillingAccountId: '{organisation:String}',
    BillingAccountName: '{organisation:String}',
    BillingCurrency: "'USD'",
    BillingPeriodEnd: `toDateTime(addMonths(${month}, 1), 'UTC')`,
    BillingPeriodStart: `toDateTime(${month}, 'UTC')`,
    ChargeCategory: "'Usage'",
    ChargeClass: 'CAST(NULL AS Nullable(String))',
    ChargeDescription: "concat(model, ' for ', feature)",
    ChargeFrequency: "'Usage-Based'",
    ChargePeriodEnd: `toDateTime(intDiv(period_ms + ${STEP_MS[grain]}, 1000), 'UTC')`,
    ChargePeriodStart: `toDateTime(intDiv(period_ms, 1000), 'UTC')`,
    ConsumedQuantity: quantity,
    ConsumedUnit: "'Tokens'",
    ContractedCost: cost,
    EffectiveCost: cost,
    InvoiceIssuerName: 'provider',
    ListCost: cost,
    PricingCategory: "'Standard'",
    PricingCurrency: "'USD'",
    PricingQuantity: quantity,
    PricingUnit: "'Tokens'",
    ProviderName: 'provider',
    PublisherName: 'provider',
    ResourceId: nullable('model'),
    ResourceName: nullable('model'),
    ServiceCategory: "'AI and Machine Learning'",
    ServiceName: "concat(provider, ' model API')",
    ServiceSubcategory: "'Generative AI'",
    SkuId: "concat(provider, '/', model)",
    SkuPriceId: nullable('price_id'),
    SubAccountId: nullable('toString(team)'),
    SubAccountName: nullable('toString(team)'),
    Tags: 'tag_text',
    x_Environment: '{environment:String}',
    x_Feature: 'toString(feature)',
    x_Team: nullable('toString(team)'),
    x_Customer: nullable('customer'),
    x_SharedCost: nullable('{sharedNames:Array(String)}[shared]'),
    x_PromptVersion: nullable('prompt_version'),
    x_TraceId: grain === 'call' ? nullable('trace_id') : 'CAST(NULL AS Nullable(String))',
    x_CallId: grain === 'call' ? nullable('call_id') : 'CAST(NULL AS Nullable(String))',
    x_KeyId: 'toString(key_id)',
    x_Operation: nullable('toString(operation)'),
    x_CostStatus: 'cost_status',
    x_Attempts: 'attempts',
    x_InputUncachedTokens: 'input_uncached',
    x_CacheReadTokens: 'cache_read',
    x_CacheWriteTokens: 'cache_write',
    x_AudioInputTokens: 'audio_input',
    x_OutputTextTokens: 'output_text',
    x_ReasoningTokens: 'reasoning',
    x_AudioOutputTokens: 'audio_output',
  };
}

/** The charges of priced calls: one row an attempt, or summed up by day. Attempts that cost nothing and used nothing are not charged. */
export function writeFocus(
  connection: ClickHouseConnection,
  scope: Scope,
  period: CostPeriod,
  grain: FocusGrain,
  format: FocusFormat,
  rules: readonly SharedRule[],
): Promise<Readable> {
  const shared = sharedRuleColumn(rules);
  const columns = columnsOf(grain);
  const select = FOCUS_COLUMNS.map(({ name, type, isNullable }) => {
    const value = columns[name] ?? 'NULL';
    const cast = type === 'String' && !isNullable ? `toString(${value})` : type === MONEY ? `CAST(${value} AS ${MONEY})` : value;
    return `${cast} AS ${name}`;
  });
  const keys = KEYS[grain];
  const sql = `SELECT ${select.join(',\n  ')}
    FROM (
      SELECT ${keys.replace(', attempt', '')},
        sum(toInt128(toInt64(attempt.costPicoUsd))) AS cost, count() AS attempts, ${tokens('inputUncachedTokens')} AS input_uncached,
        ${tokens('cacheReadTokens')} AS cache_read, ${tokens('cacheWrite5mTokens')} + ${tokens('cacheWrite1hTokens')} AS cache_write,
        ${tokens('audioInputTokens')} AS audio_input, ${tokens('outputTextTokens')} AS output_text, ${tokens('reasoningTokens')} AS reasoning,
        ${tokens('audioOutputTokens')} AS audio_output,
        input_uncached + cache_read + cache_write + audio_input + output_text + reasoning + audio_output AS all_tokens
      FROM (
        SELECT *, ${shared.sql} AS shared, intDiv(started_at_ms, ${STEP_MS[grain]}) * ${STEP_MS[grain]} AS period_ms, toJSONString(tags) AS tag_text,
          tags['prompt_version'] AS prompt_version, attempt.provider AS provider, attempt.requestModel AS model, attempt.priceId AS price_id,
          attempt.costStatus AS cost_status
        FROM (${attemptRows(CALL_COLUMNS, '')})
        WHERE attempt.costPicoUsd != ''
      )
      GROUP BY ${keys}
    )
    WHERE cost != 0 OR all_tokens != 0
    ORDER BY period_ms, feature, provider, model${grain === 'call' ? ', call_id' : ''}`;
  const parameters = { ...periodParameters(scope, period), ...shared.parameters, sharedNames: rules.map(({ name }) => name) };
  return connection.file(sql, parameters, format === 'csv' ? 'CSVWithNames' : 'Parquet');
}
