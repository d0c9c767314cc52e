/**
 * How often does the cost anomaly detector cry wolf, and how soon does it see what is planted? Simulated features of five sizes, each judged hour by
 * hour as in production. Prints false alarms per feature and month on clean traffic, and the share found and the delay for spikes and slow creeps.
 * node bench/anomalies.ts [--months N] [--plants N] [--json] [--smoke]
 */
import { parseArgs } from 'node:util';
import { characteristicOf } from '../src/costs/anomalies/characteristic.ts';
import { TRAFFICS } from '../src/costs/anomalies/testing.ts';

const { values: options } = parseArgs({
  options: {
    months: { type: 'string', default: '60' },
    plants: { type: 'string', default: '40' },
    json: { type: 'boolean', default: false },
    smoke: { type: 'boolean', default: false },
  },
});
const months = options.smoke ? 2 : Number(options.months);
const plants = options.smoke ? 2 : Number(options.plants);

for (const traffic of TRAFFICS) {
  const { falseAlarmsPerMonth, spikes, creeps } = characteristicOf(traffic, { months, plants, seed: 1 });
  if (options.json)
    console.log(JSON.stringify({ name: traffic.name, falseAlarmsPerMonth, spikes, creeps, ratios: { limit: falseAlarmsPerMonth } }));
  else {
    const found = ({ share, medianDelayHours }: typeof spikes): string =>
      `${(share * 100).toFixed(0)} %${medianDelayHours === null ? '' : ` after ${medianDelayHours} h`}`;
    console.log(
      `${traffic.name.padEnd(28)} false alarms a month ${falseAlarmsPerMonth.toFixed(3)}   spikes found ${found(spikes)}   creeps found ${found(creeps)}`,
    );
  }
}
