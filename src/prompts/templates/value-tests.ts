import { isObject, isTruthy, type TemplateValue } from './values.ts';

/** What may follow `is`. */
export const TESTS: ReadonlyMap<string, (value: TemplateValue, argument: TemplateValue) => boolean> = new Map<
  string,
  (value: TemplateValue, argument: TemplateValue) => boolean
>([
  ['defined', (value) => value !== undefined],
  ['undefined', (value) => value === undefined],
  ['none', (value) => value === null],
  ['null', (value) => value === null],
  ['string', (value) => typeof value === 'string'],
  ['number', (value) => typeof value === 'number'],
  ['boolean', (value) => typeof value === 'boolean'],
  ['mapping', (value) => isObject(value)],
  ['iterable', (value) => Array.isArray(value) || typeof value === 'string'],
  ['sequence', (value) => Array.isArray(value) || typeof value === 'string'],
  ['truthy', (value) => isTruthy(value)],
  ['falsy', (value) => !isTruthy(value)],
  ['odd', (value) => typeof value === 'number' && Math.abs(value % 2) === 1],
  ['even', (value) => typeof value === 'number' && value % 2 === 0],
  ['divisibleby', (value, by) => typeof value === 'number' && typeof by === 'number' && value % by === 0],
  ['equalto', (value, other) => value === other],
  ['eq', (value, other) => value === other],
  ['sameas', (value, other) => value === other],
  ['ne', (value, other) => value !== other],
  ['gt', (value, other) => typeof value === 'number' && typeof other === 'number' && value > other],
  ['ge', (value, other) => typeof value === 'number' && typeof other === 'number' && value >= other],
  ['lt', (value, other) => typeof value === 'number' && typeof other === 'number' && value < other],
  ['le', (value, other) => typeof value === 'number' && typeof other === 'number' && value <= other],
  ['lower', (value) => typeof value === 'string' && value === value.toLowerCase()],
  ['upper', (value) => typeof value === 'string' && value === value.toUpperCase()],
]);
