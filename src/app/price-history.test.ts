import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { FakeClock } from '../kernel/clock.ts';
import { DEFAULT_SCOPE } from '../kernel/scope.ts';
import { priceFromConfig } from '../models/catalogue.ts';
import { readShippedPriceBook } from '../models/price-book.ts';
import { openControlStore } from '../stores/sql/control-store.ts';
import { PriceHistory } from './price-history.ts';

describe('PriceHistory', () => {
  it('knows a price of its day, and those of its service tiers, also after a restart', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'plimsoll-prices-'));
    const store = await openControlStore({ kind: 'sqlite', path: join(directory, 'control.db') }, new FakeClock(0));
    try {
      const price = priceFromConfig('m', {
        inputPerMillionUsd: 2,
        outputPerMillionUsd: 8,
        serviceTiers: { flex: { inputPerMillionUsd: 1, outputPerMillionUsd: 4 } },
      });
      const history = () => new PriceHistory(store, DEFAULT_SCOPE, readShippedPriceBook());
      await history().rememberPrice(price);
      const found = history();
      assert.deepEqual(await found.find(price.priceId), price);
      const flex = await found.find(`${price.priceId}#flex`);
      assert.equal(flex?.priceId, `${price.priceId}#flex`);
      assert.equal(flex?.perToken.inputUncachedTokens, '1000000');
      assert.equal(await found.find(`${price.priceId}#priority`), null);
      assert.equal(await found.find('config:unknown@1#flex'), null);
    } finally {
      await store.close();
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
