import { CODE_REVIEW } from './code-review.ts';
import { CONTRACT_SUMMARY } from './contract-summary.ts';
import { CUSTOMER_SUPPORT } from './customer-support.ts';
import type { CorpusFeature } from './model.ts';
import { SALES_EMAIL } from './sales-email.ts';

/** The example features, in order of their traffic. */
export const CORPUS_FEATURES: readonly [CorpusFeature, ...CorpusFeature[]] = [CUSTOMER_SUPPORT, CONTRACT_SUMMARY, SALES_EMAIL, CODE_REVIEW];
