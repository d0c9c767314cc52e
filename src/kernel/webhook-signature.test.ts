import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { webhookHeaders } from './webhook-signature.ts';

describe('webhook signature', () => {
  it('is that of the Standard Webhooks specification', () => {
    // The specification's own example.
    const headers = webhookHeaders(
      'msg_p5jXN8AQM9LWM0D4loKWxJek',
      1614265330,
      '{"test": 2432232314}',
      'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    );
    assert.deepEqual(headers, {
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    });
  });

  it('takes any text as a secret', () => {
    assert.notEqual(webhookHeaders('a', 1, '{}', 'one')['webhook-signature'], webhookHeaders('a', 1, '{}', 'two')['webhook-signature']);
  });
});
