import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { providerKinds } from '../gateway/provider-kinds.ts';
import type { PlimsollError } from '../kernel/errors.ts';
import { DEFAULT_SCOPE } from '../kernel/scope.ts';
import { resolveCatalogue } from '../models/catalogue.ts';
import { readShippedPriceBook } from '../models/price-book.ts';
import { readConfig } from './config.ts';
import { lifecycleEvents, logLifecycleEvents } from './lifecycle-watch.ts';
import { planModelMigration } from './model-migration.ts';

const NOW = Date.UTC(2026, 5, 1, 6, 13);
const DAY_MS = 86_400_000;

const TEXT = `version: 1
providers:
  openai: { kind: openai, region: us }
  european: { kind: openai-compatible, baseUrl: "https://llm.example/v1", region: eu }
models:
  gpt:
    provider: openai
    model: gpt-4o-2024-08-06
    retiresAt: 2026-06-10
    successor: mini
  mini: { provider: openai, model: gpt-4o-mini }
  local: { provider: european, model: m-2026-01-01 }
prices:
  local: { inputPerMillionUsd: 1, outputPerMillionUsd: 2 }
routes:
  default: { targets: [gpt, local] }
features:
  support:
    route: default
    models:
      - { model: gpt, status: approved, approvedBy: board, evaluation: eval-7, expires: 2026-06-03 }
      - { model: local, status: trial }
    modelPolicy: { expired: refuse }
  private: { route: default, residency: { regions: [eu] } }
  other: { route: mini }
`;
const config = readConfig(TEXT, 'plimsoll.yaml', null);
const sources = { config, text: TEXT, fileName: 'plimsoll.yaml', priceBook: readShippedPriceBook(), nowMs: NOW };
const modelsAt = (nowMs: number) => resolveCatalogue(config, readShippedPriceBook(), providerKinds, nowMs, () => null).models;

describe('events before a pin or an approval dies', () => {
  it('come at 30, 14, 7 and 1 days and at the end, each once, however often the job runs', async () => {
    const keys = new Set<string>();
    const messages: string[] = [];
    const log = {
      append: async (_scope: unknown, event: { name: string; severity: string; message: string }, key = '') => {
        if (keys.has(key)) return false;
        keys.add(key);
        messages.push(`${event.name} ${event.severity}`);
        return true;
      },
      list: async () => [],
      prune: async () => 0,
    };
    for (let day = -40; day <= 15; day++) {
      const nowMs = NOW + day * DAY_MS;
      for (let run = 0; run < 2; run++) await logLifecycleEvents(log, DEFAULT_SCOPE, lifecycleEvents(modelsAt(nowMs), config, nowMs));
    }
    assert.deepEqual(
      messages.filter((text) => text.startsWith('model.ret')),
      ['model.retiring info', 'model.retiring info', 'model.retiring warning', 'model.retiring critical', 'model.retired critical'],
    );
    assert.deepEqual(
      messages.filter((text) => text.startsWith('model.approval')),
      [
        'model.approval_expiring info',
        'model.approval_expiring info',
        'model.approval_expiring warning',
        'model.approval_expiring critical',
        'model.approval_expired critical',
      ],
    );
  });

  it('say what, when, who uses it and what comes next', () => {
    const events = lifecycleEvents(modelsAt(NOW), config, NOW).map(({ event }) => `${event.subject}: ${event.message}`);
    assert.deepEqual(events, [
      'model/gpt: gpt (gpt-4o-2024-08-06) retires on 2026-06-10, in at most 14 days. Used by support, private. Its successor is mini.',
      'feature/support: The approval of gpt for support expires on 2026-06-03; then its calls are refused.',
    ]);
  });

  it('knows from the price book what is deprecated, and no date that nobody gave', () => {
    const text =
      'version: 1\nproviders: { c: { kind: openai-compatible, baseUrl: "https://api.cohere.com/v1" } }\nmodels: { old: { provider: c, model: command-light } }\nroutes: {}\n';
    const old = readConfig(text, 'x', null);
    const [model] = resolveCatalogue(old, readShippedPriceBook(), providerKinds, NOW, () => null).models;
    assert.deepEqual(model?.lifecycle, { isDeprecated: true, deprecatedAtMs: null, retiresAtMs: null, successor: null });
    assert.match(lifecycleEvents([model], old, NOW)[0]?.event.message ?? '', /deprecated by its provider\. No feature’s route uses it/);
  });
});

describe('the plan of a migration', () => {
  it('has the exact patch, prices, features and what cannot be done yet', () => {
    const plan = planModelMigration(sources, 'gpt', 'gpt-4o-2024-11-20');
    assert.equal(
      plan.patch,
      `--- plimsoll.yaml
+++ plimsoll.yaml
@@ -5,9 +5,7 @@
 models:
   gpt:
     provider: openai
-    model: gpt-4o-2024-08-06
-    retiresAt: 2026-06-10
-    successor: mini
+    model: gpt-4o-2024-11-20
   mini: { provider: openai, model: gpt-4o-mini }
   local: { provider: european, model: m-2026-01-01 }
 prices:
`,
    );
    assert.deepEqual([plan.from.inputPerMillionUsd, plan.to.isPinned, plan.warnings], ['2.5', true, []]);
    assert.deepEqual(plan.features, [
      { name: 'support', effects: ['Its approval of gpt was for the old model (rests on eval-7): renew features.support.models.'] },
      { name: 'private', effects: ['Its residency would leave gpt out (in us).'] },
    ]);
    assert.deepEqual(
      plan.steps.map(({ name, isAvailable }) => [name, isAvailable]),
      [
        ['evaluate', false],
        ['canary', false],
        ['apply', true],
        ['watch', true],
      ],
    );
  });

  it('takes the successor, an alias at another provider, and warns of what it sees', () => {
    const toSuccessor = planModelMigration(sources, 'gpt', null);
    assert.equal(toSuccessor.to.model, 'gpt-4o-mini');
    assert.match(toSuccessor.warnings.join(), /gpt-4o-mini is a name that the provider may point at another version/);
    const toLocal = planModelMigration(sources, 'gpt', 'local');
    assert.deepEqual([toLocal.to.provider, toLocal.to.inputPerMillionUsd], ['european', '1']);
    assert.match(toLocal.patch, /\+ {4}provider: european\n\+ {4}model: m-2026-01-01\n/);
    assert.match(planModelMigration(sources, 'mini', 'unheard-of-1').warnings.join(), /No price is known/);
    assert.match(planModelMigration(sources, 'local', 'm-2').warnings.join(), /prices\.local of plimsoll\.yaml stays in force/);
  });

  it('refuses what leads nowhere', () => {
    const refused = (alias: string, to: string | null, code: string, message: RegExp) =>
      assert.throws(
        () => planModelMigration(sources, alias, to),
        (thrown: PlimsollError) => thrown.code === code && message.test(thrown.message),
      );
    refused('gtp', 'x', 'not_found', /Did you mean "gpt"/);
    refused('mini', null, 'invalid_argument', /names no successor/);
    refused('mini', 'gpt-4o-mini', 'invalid_argument', /already/);
  });
});
