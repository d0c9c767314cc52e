import { type FormEvent, type ReactNode, useId, useState } from 'react';
import { fieldValuesQuery, type ValueField } from '../api/queries.ts';
import { rangeOf } from '../range/range.ts';
import { Combobox } from '../ui/combobox.tsx';
import { FILTER_LABELS, type Filters, joinAttribute, parseTracesSearch, STATUSES, splitAttribute, type TracesSearch } from './filters.ts';
import { STATUS_WORDS } from './status-word.ts';

const PLAIN_FIELDS = ['traceId', 'minDurationMs', 'minCostUsd'] as const satisfies readonly (keyof Filters)[];
const VALUE_FIELDS = [
  'feature',
  'model',
  'provider',
  'route',
  'errorType',
  'user',
  'session',
  'team',
  'customer',
] as const satisfies readonly (keyof Filters & ValueField)[];

interface FilterFormProps {
  readonly search: TracesSearch;
  readonly onSubmit: (search: TracesSearch) => void;
}

/** All filters of the list, each with the values that occur in the range. */
export function FilterForm({ search, onSubmit }: FilterFormProps): ReactNode {
  const formId = useId();
  const range = rangeOf(search);
  const attribute = splitAttribute(search.attribute);
  const [attributeName, setAttributeName] = useState(attribute.name);
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const read = (name: string): string => String(form.get(name) ?? '');
    const values = Object.fromEntries(['status', ...VALUE_FIELDS, ...PLAIN_FIELDS].map((name) => [name, read(name)]));
    const joined = joinAttribute(read('attributeName'), read('attributeValue'));
    onSubmit(parseTracesSearch({ ...search, ...values, attribute: joined }));
  };
  return (
    <form className="grid w-90 max-w-full grid-cols-2 gap-x-3 gap-y-2.5" onSubmit={submit}>
      <Field id={`${formId}-status`} label={FILTER_LABELS.status}>
        <select className="field w-full" id={`${formId}-status`} name="status" defaultValue={search.status ?? ''}>
          <option value="">all</option>
          {STATUSES.map((status) => (
            <option key={status} value={status}>
              {STATUS_WORDS[status].word}
            </option>
          ))}
        </select>
      </Field>
      {VALUE_FIELDS.map((name) => (
        <Field key={name} id={`${formId}-${name}`} label={FILTER_LABELS[name]}>
          <Combobox
            id={`${formId}-${name}`}
            name={name}
            initialText={search[name] ?? ''}
            suggest={(typed) => fieldValuesQuery(range, { field: name, search: typed })}
          />
        </Field>
      ))}
      <Field id={`${formId}-attribute`} label="Attribute">
        <Combobox
          id={`${formId}-attribute`}
          name="attributeName"
          initialText={attribute.name}
          onText={setAttributeName}
          suggest={(typed) => fieldValuesQuery(range, { field: 'attribute', search: typed })}
        />
      </Field>
      <Field id={`${formId}-attribute-value`} label="is exactly">
        <Combobox
          id={`${formId}-attribute-value`}
          name="attributeValue"
          initialText={attribute.value}
          isDisabled={attributeName.trim() === ''}
          suggest={(typed) => fieldValuesQuery(range, { field: 'attribute', name: attributeName.trim(), search: typed })}
        />
      </Field>
      {PLAIN_FIELDS.map((name) => (
        <Field key={name} id={`${formId}-${name}`} label={FILTER_LABELS[name]} isWide={name === 'traceId'}>
          <input
            className="field w-full"
            id={`${formId}-${name}`}
            name={name}
            defaultValue={search[name] ?? ''}
            maxLength={512}
            autoComplete="off"
            spellCheck={false}
            {...(name === 'traceId' ? {} : { type: 'number', min: 0, step: 'any' })}
          />
        </Field>
      ))}
      <button type="submit" className="button button-primary col-span-2 mt-1">
        Apply
      </button>
    </form>
  );
}

interface FieldProps {
  readonly id: string;
  readonly label: string;
  readonly isWide?: boolean;
  readonly children: ReactNode;
}

function Field({ id, label, isWide = false, children }: FieldProps): ReactNode {
  return (
    <div className={`flex min-w-0 flex-col gap-1 ${isWide ? 'col-span-2' : ''}`}>
      <label className="label" htmlFor={id}>
        {label}
      </label>
      {children}
    </div>
  );
}
