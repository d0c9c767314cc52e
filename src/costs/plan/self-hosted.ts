import { z } from 'zod';
import { picoUsdFromDecimal } from '../../kernel/money.ts';
import { type Ratio, ratio, round, times } from '../variance/ratio.ts';

const pico = (what: string) => z.string().describe(`${what}, pico-dollars`);

export const SelfHostedView = z
  .object({
    perMillionTokensPicoUsd: pico('A million tokens, input and output together, at the utilisation'),
    replicas: z.int().describe('Needed for the busiest time'),
    monthPicoUsd: pico('A month of that many replicas, 730 hours'),
    differencePicoUsd: pico('That less the plan’s first month'),
    breakEvenRequestsPerMonth: z
      .int()
      .nullable()
      .describe('From so many requests on one replica costs less than the vendor; null = never: a full replica costs more per request'),
    requestsPerReplicaMonth: z.int().describe('What a replica can take at the utilisation'),
  })
  .describe('A model on own or rented GPUs, by its measured throughput');
export type SelfHostedView = z.infer<typeof SelfHostedView>;

export interface SelfHosted {
  /** US dollars, decimal. */
  readonly gpuHourUsd: string;
  readonly gpusPerReplica: number;
  /** Measured under the planned mix, input and output together, one replica, saturated. */
  readonly tokensPerSecond: number;
  /** Share of the time that a replica is busy, 0 to 1. */
  readonly utilisationRatio: number;
  /** Load of the busiest hour over the mean. */
  readonly peakFactor: number;
}

const HOURS_PER_MONTH = 730n;
const PPM = 1_000_000;

/** A float of an input as an exact fraction, to a millionth. */
function exact(value: number): Ratio {
  return ratio(BigInt(Math.round(value * PPM)), BigInt(PPM));
}

function ceil({ numerator, denominator }: Ratio): bigint {
  return (numerator + denominator - 1n) / denominator;
}

/** @param vendorMonth what the same requests cost with a vendor, pico-dollars */
export function selfHosted(host: SelfHosted, requestsPerMonth: Ratio, tokensPerRequest: Ratio, vendorMonth: Ratio): SelfHostedView | null {
  const hour = picoUsdFromDecimal(host.gpuHourUsd) * BigInt(host.gpusPerReplica);
  const tokensPerHour = times(times(exact(host.tokensPerSecond), exact(host.utilisationRatio)), ratio(3600n));
  if (tokensPerHour.numerator === 0n || tokensPerRequest.numerator === 0n || requestsPerMonth.numerator === 0n) return null;
  const inverse = ({ numerator, denominator }: Ratio): Ratio => ratio(denominator, numerator);
  const perToken = times(ratio(hour), inverse(tokensPerHour));
  const capacity = times(times(tokensPerHour, ratio(HOURS_PER_MONTH)), inverse(tokensPerRequest));
  const replicaMonth = hour * HOURS_PER_MONTH;
  const replicas = ceil(times(times(requestsPerMonth, exact(host.peakFactor)), inverse(capacity)));
  const month = replicaMonth * replicas;
  const vendorPerRequest = times(vendorMonth, inverse(requestsPerMonth));
  const breakEven = vendorPerRequest.numerator === 0n ? null : ceil(times(ratio(replicaMonth), inverse(vendorPerRequest)));
  const isWithinOne = breakEven !== null && breakEven * capacity.denominator <= capacity.numerator;
  return {
    perMillionTokensPicoUsd: round(times(perToken, ratio(1_000_000n))).toString(),
    replicas: Number(replicas),
    monthPicoUsd: month.toString(),
    differencePicoUsd: (month - round(vendorMonth)).toString(),
    breakEvenRequestsPerMonth: isWithinOne ? Number(breakEven) : null,
    requestsPerReplicaMonth: Number(capacity.numerator / capacity.denominator),
  };
}
