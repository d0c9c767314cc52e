import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mergeExpositions } from './metrics-merge.ts';

const WORKER_1 =
  '# HELP a_total Calls.\n# TYPE a_total counter\na_total{model="x y",feature="f"} 3\na_total{model="z",feature="f"} 1\n# HELP b_seconds Time.\n# TYPE b_seconds histogram\nb_seconds_bucket{le="0.1"} 1\nb_seconds_bucket{le="+Inf"} 2\nb_seconds_sum 0.5\nb_seconds_count 2\n';
const WORKER_2 =
  '# HELP a_total Calls.\n# TYPE a_total counter\na_total{model="x y",feature="f"} 4\n# HELP b_seconds Time.\n# TYPE b_seconds histogram\nb_seconds_bucket{le="0.1"} 0\nb_seconds_bucket{le="+Inf"} 1\nb_seconds_sum 0.25\nb_seconds_count 1\n';

describe('mergeExpositions', () => {
  it('adds samples of the same name and labels, keeps families and their headers once', () => {
    assert.equal(
      mergeExpositions([WORKER_1, WORKER_2, '']),
      '# HELP a_total Calls.\n# TYPE a_total counter\na_total{model="x y",feature="f"} 7\na_total{model="z",feature="f"} 1\n# HELP b_seconds Time.\n# TYPE b_seconds histogram\nb_seconds_bucket{le="0.1"} 1\nb_seconds_bucket{le="+Inf"} 3\nb_seconds_sum 0.75\nb_seconds_count 3\n',
    );
  });
  it('leaves a single worker as it is', () => {
    assert.equal(mergeExpositions([WORKER_1]), WORKER_1);
    assert.equal(mergeExpositions([]), '');
  });
});
