import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { connect as tlsConnect } from 'node:tls';
import { FAULTS, type FaultName } from './faults.ts';
import type { SimulatedProviders } from './provider-server.ts';
import { dataOf, type Seen, see, startSim } from './testing.ts';

const PATHS = { openai: '/openai/v1/chat/completions', anthropic: '/anthropic/v1/messages' };
type Dialect = keyof typeof PATHS;

const TOOL = {
  openai: {
    type: 'function',
    function: {
      name: 'get_weather',
      description: 'Weather of a city',
      parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
    },
  },
  anthropic: {
    name: 'get_weather',
    description: 'Weather of a city',
    input_schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
};

describe('every fault of the table is observed as it is described', () => {
  let sim: SimulatedProviders;
  before(async () => {
    sim = await startSim();
  });
  after(() => sim.close());

  const QUESTION = 'Where is my order TS-104233? It should have been here on Monday.';
  const ask = (dialect: Dialect, isStream: boolean, fault: string, extra: object = {}, patience: object = {}): Promise<Seen> =>
    see(sim.port, PATHS[dialect], {
      body: {
        model: 'sim-large',
        max_tokens: 500,
        stream: isStream,
        messages: [{ role: 'user', content: QUESTION }],
        ...(dialect === 'openai' && isStream ? { stream_options: { include_usage: true } } : {}),
        ...extra,
      },
      headers: fault === '' ? {} : { 'x-sim-fault': fault },
      ...patience,
    });
  const types = (seen: Seen): string[] =>
    dataOf(seen.text).map((data) => (data === '[DONE]' ? data : String(JSON.parse(data).type ?? 'chunk')));

  /** One observation a fault: the compiler asks for a new one with every new row. */
  const OBSERVATIONS: Record<FaultName, (dialect: Dialect) => Promise<void>> = {
    async error(dialect) {
      for (const status of [400, 403, 404, 413, 429, 500, 502, 503, 529])
        for (const isStream of [true, false]) {
          const seen = await ask(dialect, isStream, `error:${status}`);
          assert.equal(seen.status, status);
          assert.match(seen.headers['content-type'] ?? '', /application\/json/);
          assert.equal(typeof JSON.parse(seen.text).error.message, 'string');
          assert.equal(seen.headers['retry-after'], undefined);
        }
      const header = async (fault: string): Promise<unknown[]> => {
        const { headers } = await ask(dialect, true, fault);
        return [headers['retry-after'], headers['retry-after-ms']];
      };
      assert.deepEqual(await header('error:429;retry-after=2'), ['2', undefined]);
      assert.deepEqual(await header('error:429;retry-after-ms=250'), [undefined, '250']);
      const [date] = await header('error:429;retry-after-date=30');
      const inMs = Date.parse(String(date)) - Date.now();
      assert.ok(inMs > 28_000 && inMs <= 30_000, `${date}`);
    },
    async key_revoked(dialect) {
      const withKey = (key: string): Promise<Seen> =>
        see(sim.port, PATHS[dialect], {
          body: { model: 'sim-large', max_tokens: 50, messages: [{ role: 'user', content: 'Hi' }] },
          headers: {
            'x-sim-fault': 'key_revoked;key=first',
            ...(dialect === 'openai' ? { authorization: `Bearer ${key}` } : { 'x-api-key': key }),
          },
        });
      assert.deepEqual([(await withKey('first')).status, (await withKey('second')).status], [401, 200]);
    },
    async context_length(dialect) {
      const seen = await ask(dialect, true, 'context_length');
      assert.equal(seen.status, 400);
      assert.match(seen.text, dialect === 'openai' ? /context_length_exceeded/ : /prompt is too long: \d+ tokens > \d+ maximum/);
    },
    async content_filter(dialect) {
      assert.match((await ask(dialect, false, 'content_filter')).text, /content_filter|content filtering/);
      const stopped = await ask(dialect, false, 'content_filter=output');
      assert.equal(stopped.status, 200);
      assert.match(stopped.text, dialect === 'openai' ? /"finish_reason":"content_filter"/ : /"stop_reason":"refusal"/);
      const whole = await ask(dialect, false, '');
      const said = (seen: Seen): string => {
        const body = JSON.parse(seen.text);
        return dialect === 'openai' ? body.choices[0].message.content : body.content[0].text;
      };
      assert.ok(said(whole).startsWith(said(stopped)) && said(stopped).length < said(whole).length);
    },
    async html_page(dialect) {
      const usual = await ask(dialect, true, 'html_page');
      assert.deepEqual([usual.status, usual.headers['content-type']], [502, 'text/html; charset=utf-8']);
      assert.match(usual.text, /^<!doctype html>/);
      assert.equal((await ask(dialect, false, 'html_page=200')).status, 200);
    },
    // Both are switched on at run time only: see "faults of the listener".
    connect_refused: async (dialect) => assert.equal((await ask(dialect, true, 'connect_refused')).status, 400),
    accept_reset: async (dialect) => assert.equal((await ask(dialect, true, 'accept_reset')).status, 400),
    async connection_reset(dialect) {
      const seen = await ask(dialect, true, 'connection_reset');
      assert.deepEqual([seen.status, seen.broke], [0, 'ECONNRESET']);
    },
    async timeout(dialect) {
      const seen = await ask(dialect, false, 'timeout', {}, { headPatienceMs: 60 });
      assert.deepEqual([seen.status, seen.broke], [0, 'timeout']);
    },
    async headers_then_hang(dialect) {
      for (const isStream of [true, false]) {
        const seen = await ask(dialect, isStream, 'headers_then_hang', {}, { patienceMs: 60 });
        assert.deepEqual([seen.status, seen.broke, seen.text], [200, 'timeout', '']);
      }
    },
    async slow_first_byte(dialect) {
      assert.ok((await ask(dialect, false, 'slow_first_byte=80')).elapsedMs >= 79);
      const stream = await ask(dialect, true, 'slow_first_byte=80');
      assert.ok(stream.elapsedMs >= 79 && stream.broke === null);
    },
    async slow_chunks(dialect) {
      for (const isStream of [true, false]) {
        const seen = await ask(dialect, isStream, 'slow_chunks=12');
        assert.ok(seen.elapsedMs >= 7 * 11 && seen.broke === null, `${seen.elapsedMs}`);
        assert.ok(seen.pieces >= 7, `${seen.pieces} pieces`);
      }
    },
    async cut_after(dialect) {
      const stream = await ask(dialect, true, 'cut_after=3');
      assert.equal(dataOf(stream.text).length, 3);
      assert.notEqual(stream.broke, null);
      assert.notEqual(stream.broke, 'timeout');
      const body = await ask(dialect, false, 'cut_after=1');
      assert.ok(body.bytes.length < Number(body.headers['content-length']) && body.broke !== null);
    },
    async stall_after(dialect) {
      const stream = await ask(dialect, true, 'stall_after=2', {}, { patienceMs: 100 });
      assert.deepEqual([dataOf(stream.text).length, stream.broke], [2, 'timeout']);
      const body = await ask(dialect, false, 'stall_after=1', {}, { patienceMs: 100 });
      assert.ok(body.bytes.length > 0 && body.broke === 'timeout');
    },
    async error_first_event(dialect) {
      const stream = await ask(dialect, true, 'error_first_event');
      const events = dataOf(stream.text);
      assert.deepEqual([stream.status, stream.broke, events.length], [200, null, 1]);
      assert.equal(typeof JSON.parse(events[0] ?? '').error.message, 'string');
      const body = await ask(dialect, false, 'error_first_event');
      assert.equal(body.status, 200);
      assert.equal(typeof JSON.parse(body.text).error.message, 'string');
    },
    async error_after(dialect) {
      const stream = await ask(dialect, true, 'error_after=4');
      const events = dataOf(stream.text);
      assert.deepEqual([stream.status, stream.broke, events.length], [200, null, 5]);
      assert.equal(typeof JSON.parse(events[4] ?? '').error.message, 'string');
      assert.equal(JSON.parse(events[3] ?? '').error, undefined);
    },
    async malformed_json(dialect) {
      const body = await ask(dialect, false, 'malformed_json');
      assert.deepEqual([body.status, body.broke], [200, null]);
      assert.throws(() => JSON.parse(body.text), SyntaxError);
      const events = dataOf((await ask(dialect, true, 'malformed_json')).text);
      assert.throws(() => JSON.parse(events[2] ?? ''), SyntaxError);
      assert.doesNotThrow(() => events.filter((data, at) => at !== 2 && data !== '[DONE]').map((data) => JSON.parse(data)));
    },
    async malformed_sse(dialect) {
      const [plain, broken] = [await ask(dialect, true, ''), await ask(dialect, true, 'malformed_sse')];
      assert.equal(broken.text.split('\n\n').length, plain.text.split('\n\n').length - 1);
      const merged = broken.text.split('\n\n')[2] ?? '';
      assert.equal(merged.match(/^data: /gm)?.length, 2);
    },
    async empty(dialect) {
      for (const isStream of [true, false]) {
        const seen = await ask(dialect, isStream, 'empty');
        assert.deepEqual([seen.status, seen.text, seen.broke], [200, '', null]);
      }
    },
    async empty_completion(dialect) {
      const body = JSON.parse((await ask(dialect, false, 'empty_completion')).text);
      if (dialect === 'openai')
        assert.deepEqual([body.choices[0].message.content, body.choices[0].finish_reason, body.usage.completion_tokens], ['', 'stop', 0]);
      else assert.deepEqual([body.content, body.stop_reason, body.usage.output_tokens], [[], 'end_turn', 0]);
      const stream = await ask(dialect, true, 'empty_completion');
      assert.equal(stream.broke, null);
      assert.doesNotMatch(stream.text, /"content":"[^"]|"text":"[^"]/);
    },
    async wrong_content_type(dialect) {
      for (const isStream of [true, false]) {
        const [plain, wrong] = [await ask(dialect, isStream, ''), await ask(dialect, isStream, 'wrong_content_type')];
        assert.equal(wrong.headers['content-type'], 'text/html; charset=utf-8');
        assert.equal(wrong.text.length, plain.text.length);
      }
    },
    async huge_headers(dialect) {
      const size = (seen: Seen): number => JSON.stringify(seen.headers).length;
      assert.ok(size(await ask(dialect, true, 'huge_headers')) > 65_536);
      const small = size(await ask(dialect, false, 'huge_headers=5000'));
      assert.ok(small > 5_000 && small < 6_000);
    },
    async no_usage(dialect) {
      for (const isStream of [true, false]) {
        assert.match((await ask(dialect, isStream, '')).text, /"usage":\{/);
        const without = await ask(dialect, isStream, 'no_usage');
        assert.doesNotMatch(without.text, /_tokens"/);
        if (isStream) assert.deepEqual([without.broke, types(without).at(-1)], [null, dialect === 'openai' ? '[DONE]' : 'message_stop']);
      }
    },
    async no_finish_reason(dialect) {
      for (const isStream of [true, false]) {
        assert.match((await ask(dialect, isStream, '')).text, /"(finish|stop)_reason":"/);
        assert.doesNotMatch((await ask(dialect, isStream, 'no_finish_reason')).text, /(finish|stop)_reason/);
      }
    },
    async duplicate_final(dialect) {
      const [plain, twice] = [types(await ask(dialect, true, '')), types(await ask(dialect, true, 'duplicate_final'))];
      const tail = dialect === 'openai' ? ['chunk', 'chunk', '[DONE]'] : ['content_block_stop', 'message_delta', 'message_stop'];
      assert.deepEqual(plain.slice(-3), tail);
      assert.deepEqual(twice, [...plain, ...tail]);
    },
    async out_of_order(dialect) {
      const extra = { tools: [TOOL[dialect]], messages: [{ role: 'user', content: 'What is the weather in Lisbon and Porto?' }] };
      const indexes = (seen: Seen): number[] =>
        dataOf(seen.text)
          .filter((data) => data !== '[DONE]')
          .flatMap((data) => {
            const event = JSON.parse(data);
            return dialect === 'openai'
              ? (event.choices[0]?.delta.tool_calls?.[0]?.index ?? [])
              : event.type === 'content_block_start'
                ? event.index
                : [];
          });
      const [plain, turned] = [indexes(await ask(dialect, true, '', extra)), indexes(await ask(dialect, true, 'out_of_order', extra))];
      assert.deepEqual([plain[0], plain.at(-1)], [0, 1]);
      assert.deepEqual(
        turned,
        plain.map((index) => 1 - index),
      );
    },
    async refusal(dialect) {
      assert.match((await ask(dialect, false, 'refusal')).text, /cannot help/);
    },
    async tool_loop(dialect) {
      type Step = { readonly role: string; readonly content?: unknown; readonly tool_calls?: unknown; readonly tool_call_id?: string };
      const messages: Step[] = [{ role: 'user', content: 'What is the weather in Lisbon?' }];
      const said: string[] = [];
      for (let step = 0; step < 4; step++) {
        const body = JSON.parse((await ask(dialect, false, 'tool_loop=3', { tools: [TOOL[dialect]], messages })).text);
        if (dialect === 'openai') {
          const { message } = body.choices[0];
          const call = message.tool_calls?.[0];
          said.push(call?.function.arguments ?? 'answer');
          if (call !== undefined) messages.push(message, { role: 'tool', tool_call_id: call.id, content: '{"error":"try again"}' });
        } else {
          const call = body.content.find((block: { type: string }) => block.type === 'tool_use');
          said.push(call === undefined ? 'answer' : JSON.stringify(call.input));
          const result = { type: 'tool_result', tool_use_id: call?.id, content: 'try again' };
          if (call !== undefined) messages.push({ role: 'assistant', content: body.content }, { role: 'user', content: [result] });
        }
      }
      assert.deepEqual(said, ['{"city":"Lisbon"}', '{"city":"Lisbon"}', '{"city":"Lisbon"}', 'answer']);
    },
  };

  for (const [name, observe] of Object.entries(OBSERVATIONS))
    it(`${name}: ${FAULTS[name as FaultName].summary.split(/[:.]/)[0]}`, async () => {
      for (const dialect of ['openai', 'anthropic'] as const) await observe(dialect);
    });
});

describe('faults of the listener', () => {
  it('closes the port for a time, resets what was open, and comes back on the same port', { timeout: 120_000 }, async (t) => {
    const sim = await startSim();
    t.after(() => sim.close());
    const body = { model: 'sim-large', messages: [{ role: 'user', content: 'Hi' }] };
    const call = (): Promise<Seen> => see(sim.port, '/v1/chat/completions', { body });
    const until = async (isReached: (seen: Seen) => boolean): Promise<void> => {
      while (!t.signal.aborted && !isReached(await call())) await new Promise((resolve) => setTimeout(resolve, 10));
    };
    const open = see(sim.port, '/v1/chat/completions', { body, headers: { 'x-sim-fault': 'timeout' } });
    while (sim.stats().open === 0) await new Promise((resolve) => setImmediate(resolve));
    for (const [fault, code] of [
      ['connect_refused', 'ECONNREFUSED'],
      ['accept_reset', 'ECONNRESET'],
    ] as const) {
      const on = await see(sim.port, '/sim/faults', { body: { fault, durationMs: 300 } });
      assert.equal(on.status, 201);
      await until((seen) => seen.broke === code);
      await until((seen) => seen.status === 200);
    }
    assert.equal((await open).broke, 'ECONNRESET');
  });

  it('leaves the fixed port open, where the fault can be switched off again', { timeout: 120_000 }, async (t) => {
    const probe = await startSim();
    const fixed = probe.port;
    await probe.close();
    const sim = await startSim({ port: fixed });
    t.after(() => sim.close());
    await see(fixed, '/sim/faults', { body: { fault: 'connect_refused', durationMs: 3_600_000 } });
    const models = (port: number): Promise<Seen> => see(port, '/v1/models');
    while (!t.signal.aborted && (await models(sim.port)).broke !== 'ECONNREFUSED') await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal((await models(fixed)).status, 200);
    assert.deepEqual(JSON.parse((await see(fixed, '/sim/faults', { method: 'DELETE' })).text), { removed: 1 });
    while (!t.signal.aborted && (await models(sim.port)).status !== 200) await new Promise((resolve) => setTimeout(resolve, 5));
  });

  it('answers a TLS handshake with something that is no TLS', async () => {
    const sim = await startSim();
    const code = await new Promise((resolve) => {
      const socket = tlsConnect({ port: sim.port, host: '127.0.0.1' });
      socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code));
      socket.once('secureConnect', () => resolve('connected'));
    });
    assert.match(String(code), /^ERR_SSL_/);
    await sim.close();
  });
});
