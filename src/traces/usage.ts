export * from '../models/usage.ts';
