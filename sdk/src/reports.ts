/** What a report is about: one of traceId, session and externalId. */
interface About {
  /** Your own id: sent again under it, the report takes the place of the one before. */
  id?: string;
  traceId?: string;
  spanId?: string;
  session?: string;
  /** Your own id of the matter, as calls carry it in the tag external_id. */
  externalId?: string;
  feature?: string;
  user?: string;
  /** Epoch ms; now when left out. */
  at?: number;
  comment?: string;
}

export interface Feedback extends About {
  /** null takes an earlier one back. */
  thumbs?: 'up' | 'down' | null;
  /** 1 (least) to 5; null takes an earlier one back. */
  stars?: number | null;
  correctedAnswer?: string;
}

export interface Outcome extends About {
  /** resolved, converted, task_done, or your own. */
  outcome: string;
  /** True when left out; null takes an earlier report back. */
  success?: boolean | null;
  /** US dollars; a decimal text is kept exactly. */
  valueUsd?: number | string;
}

export interface Score extends About {
  name: string;
  value: number | boolean | string | null;
  dataType?: 'numeric' | 'categorical' | 'boolean' | 'text';
  source?: 'human' | 'llm' | 'code' | 'user';
  evaluator?: string;
  evaluatorTraceId?: string;
  metadata?: Record<string, string | number | boolean>;
}
