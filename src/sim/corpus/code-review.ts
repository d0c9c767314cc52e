import type { CorpusFeature } from './model.ts';

export const CODE_REVIEW: CorpusFeature = {
  name: 'code-review',
  team: 'platform',
  systemPrompt:
    'You review changes to the web shop of Tidemark Supply (TypeScript, PostgreSQL, some Python). Report bugs first, then risks, then style. Quote the line. If the change is fine, say so in one sentence. Use read_file when you need more context.',
  tools: [
    {
      name: 'read_file',
      description: 'Read a file of the repository at the commit under review',
      parameters: {
        type: 'object',
        properties: { path: { type: 'string' }, start_line: { type: 'integer', minimum: 1 } },
        required: ['path'],
        additionalProperties: false,
      },
    },
  ],
  conversations: [
    {
      language: 'en',
      turns: [
        {
          question:
            'Review this change:\n```ts\nasync function reserveStock(id: string, quantity: number) {\n  const row = await db.one("select stock from items where id = $1", [id]);\n  if (row.stock >= quantity) {\n    await db.none("update items set stock = stock - $1 where id = $2", [quantity, id]);\n    return true;\n  }\n  return false;\n}\n```',
          answer:
            '**Bug: race between check and update.** Two requests can both read `stock = 1` and both succeed, so the stock becomes negative. Let the database decide in one statement:\n\n```ts\nconst changed = await db.result(\n  "update items set stock = stock - $1 where id = $2 and stock >= $1",\n  [quantity, id],\n);\nreturn changed.rowCount === 1;\n```\n\n**Risk:** `quantity` is not checked. A negative value *adds* stock. Reject anything that is not a positive integer at the border, and add `check (stock >= 0)` to the table as a last line of defence.',
        },
        {
          question: 'Do I still need a transaction then?',
          answer:
            'Not for this function: a single `update` is atomic on its own. You need one as soon as the order row is written in the same step, otherwise a crash between the two leaves reserved stock without an order.',
        },
      ],
    },
    {
      language: 'en',
      turns: [
        {
          question:
            "Is this SQL safe?\n```ts\nconst rows = await db.query(`select * from orders where customer = '${customerId}' order by created_at desc`);\n```",
          answer:
            '**No, this is an SQL injection.** `customerId` is pasted into the statement. Use a parameter:\n\n```ts\nconst rows = await db.query(\n  "select id, status, created_at from orders where customer = $1 order by created_at desc limit 100",\n  [customerId],\n);\n```\n\nTwo smaller points: name the columns instead of `*`, and add a `limit`; the largest customer has 40 000 orders.',
        },
      ],
    },
    {
      language: 'en',
      turns: [
        {
          question: 'Why does this test fail only in CI? It compares new Date().toLocaleDateString() with "3/12/2026".',
          answer:
            'The result depends on the locale and the time zone of the machine. Your laptop is `en-US`; the CI container has `LANG=C.UTF-8` and UTC, and prints `12/03/2026` or another day altogether near midnight.\n\nFix the inputs instead of the machine:\n\n```ts\nnew Intl.DateTimeFormat("en-US", { timeZone: "Europe/Berlin" }).format(order.createdAt)\n```\n\nand pass a fixed date into the test.',
        },
      ],
    },
    {
      language: 'en',
      turns: [
        {
          question: 'Please look at src/cart/discount.ts, line 40 onwards. Customers get the discount twice.',
          tools: [
            {
              name: 'read_file',
              arguments: { path: 'src/cart/discount.ts', start_line: 40 },
              result: {
                path: 'src/cart/discount.ts',
                text: 'export function total(cart) {\n  const base = cart.items.reduce((sum, item) => sum + discounted(item), 0);\n  return base * (1 - cart.discount);\n}',
              },
            },
          ],
          answer:
            'Found it. Line 41 already sums `discounted(item)`, and line 42 applies `cart.discount` once more to the sum:\n\n```ts\nconst base = cart.items.reduce((sum, item) => sum + discounted(item), 0);\nreturn base * (1 - cart.discount);   // second time\n```\n\nReturn `base` as it is, or sum `item.price` and discount at the end. I prefer the second: rounding then happens once. Please add a test with two items and 10 %.',
        },
      ],
    },
    {
      language: 'en',
      turns: [
        {
          question: 'LGTM? Renames getUser to findUser in six files, no other change.',
          answer: 'Looks good: a pure rename, all six call sites are updated and the export is not used outside of the package.',
        },
      ],
    },
    {
      language: 'en',
      turns: [
        {
          question: 'Review this Python:\n```python\ndef add_item(item, basket=[]):\n    basket.append(item)\n    return basket\n```',
          answer:
            '**Bug: the default list is shared between calls.** Python evaluates `[]` once, so the second customer starts with the items of the first.\n\n```python\ndef add_item(item, basket=None):\n    return [*(basket or []), item]\n```\n\nThis also avoids changing the list that the caller passed in.',
        },
        {
          question: 'Would a linter have caught that?',
          answer:
            'Yes: Ruff rule `B006` (mutable argument default). Add `"B"` to `lint.select` in `pyproject.toml`; it finds three more places in this repository.',
        },
      ],
    },
    {
      language: 'en',
      turns: [
        {
          question:
            'What is wrong with forEach and async here?\n```ts\norders.forEach(async (order) => { await sendInvoice(order); });\nawait markDone();\n```',
          answer:
            '`forEach` does not wait: `markDone()` runs while the invoices are still being sent, and a rejected promise is lost as an unhandled rejection.\n\n```ts\nfor (const order of orders) await sendInvoice(order);\nawait markDone();\n```\n\nIf the order of sending does not matter, use `Promise.all` with a limit of about ten at a time; the mail server refuses more.',
        },
      ],
    },
    {
      language: 'en',
      turns: [
        {
          question:
            'How should we index the orders table for the customer history page? Query: where customer_id = ? and status in (...) order by created_at desc limit 20.',
          answer:
            'One composite index serves it:\n\n```sql\ncreate index concurrently orders_customer_created on orders (customer_id, created_at desc);\n```\n\n- Equality first (`customer_id`), then the sort column, so that PostgreSQL reads 20 rows and stops.\n- Leave `status` out: it has four values and filters little; as a second column it would break the sort order.\n- `concurrently` keeps the shop open while it builds; it cannot run inside a transaction.',
        },
      ],
    },
    {
      language: 'en',
      turns: [
        {
          question:
            'Can this cache ever return another customer’s price?\n```ts\nconst key = `price:${sku}`;\nconst cached = await redis.get(key);\nif (cached) return JSON.parse(cached);\nconst price = await priceFor(sku, customer.group);\nawait redis.set(key, JSON.stringify(price), "EX", 300);\n```',
          answer:
            '**Yes.** The price depends on `customer.group`, the key does not. The first visitor decides what everybody sees for five minutes.\n\n```ts\nconst key = `price:${customer.group}:${sku}`;\n```\n\nAlso handle a cached `null` (an unknown item is looked up on every request now), and wrap `JSON.parse`: one bad entry would break the page until it expires.',
        },
      ],
    },
    {
      language: 'en',
      turns: [
        {
          question: 'Summarise the risk of upgrading from Express 4 to 5 in our shop.',
          answer:
            'Medium. What will bite:\n\n1. **Path patterns:** `*` must become `/*splat`; we have nine of them.\n2. **Rejected promises** now reach the error handler by themselves. Good, but our `asyncHandler` then reports each error twice.\n3. `req.query` is read-only; two middlewares write to it.\n4. `res.redirect("back")` is gone; used once, in the login.\n\nI would do 3 and 4 first on version 4, then upgrade behind the staging flag.',
        },
      ],
    },
    {
      language: 'de',
      turns: [
        {
          question: 'Ist diese Rundung für Preise in Ordnung?\n```ts\nconst total = Math.round(price * quantity * 1.19 * 100) / 100;\n```',
          answer:
            'Nicht ganz. Mit Gleitkommazahlen entstehen Fehler an der Grenze: `1.005 * 100` ergibt `100.49999999999999` und wird abgerundet.\n\nRechnen Sie in Cent und mit ganzen Zahlen:\n\n```ts\nconst netCents = priceCents * quantity;\nconst totalCents = netCents + Math.round((netCents * 19) / 100);\n```\n\nUnd klären Sie mit der Buchhaltung, ob je Position oder auf die Summe gerundet wird; beides kommt vor.',
        },
      ],
    },
    {
      language: 'de',
      turns: [
        {
          question: 'Kurz: brauche ich in diesem Endpunkt ein Rate-Limit? Er verschickt eine Bestätigungsmail.',
          answer:
            'Ja. Ohne Limit kann jeder fremde Postfächer füllen und unseren Ruf als Absender ruinieren. Drei Mails je Adresse und Stunde, zwanzig je IP, und dieselbe Antwort, egal ob die Adresse bekannt ist.',
        },
      ],
    },
    {
      language: 'fr',
      turns: [
        {
          question: 'Que penses-tu de cette boucle ?\n```ts\nfor (let i = 0; i <= items.length; i++) { process(items[i]); }\n```',
          answer:
            "**Erreur d'indice :** avec `<=`, le dernier tour lit `items[items.length]`, donc `undefined`. Écris plutôt :\n\n```ts\nfor (const item of items) process(item);\n```\n\nC'est plus court et l'erreur ne peut plus se produire.",
        },
      ],
    },
    {
      language: 'es',
      turns: [
        {
          question: '¿Está bien guardar el token de sesión en localStorage?',
          answer:
            'Mejor no. Cualquier script que se cuele en la página puede leerlo. Usa una cookie con `HttpOnly`, `Secure` y `SameSite=Lax`; el navegador la envía solo y JavaScript no la ve.\n\nSi necesitas el token en el cliente, guárdalo en memoria y renuévalo al recargar.',
        },
      ],
    },
  ],
};
