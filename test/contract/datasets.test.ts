import { describe } from 'node:test';
import { POSTGRES_SKIP, TEST_DRIVERS } from './control-store-drivers.ts';
import { datasetsContract } from './datasets.contract.ts';

for (const driver of TEST_DRIVERS) datasetsContract(driver);
describe('Datasets contract: postgres', { skip: POSTGRES_SKIP }, () => {});
