/** What is known of the way that a route is, RTAX_*. */
import { Unpacker } from '../bytes.ts';
import { eachAttribute, u32Attribute } from './attributes.ts';

const RTAX_MTU = 2;
const RTAX_ADVMSS = 8;
/** The name of a congestion control; all others are numbers. */
const RTAX_CC_ALGO = 16;

export interface RouteMetric {
  /** RTAX_*. */
  readonly number: number;
  readonly value: number;
}

interface Metrics {
  readonly mtu?: number;
  readonly advmss?: number;
  readonly metrics?: readonly RouteMetric[];
}

export function metricAttributes({ mtu, advmss, metrics = [] }: Metrics): Uint8Array[] {
  const all = [{ number: RTAX_MTU, value: mtu }, { number: RTAX_ADVMSS, value: advmss }, ...metrics];
  return all.flatMap(({ number, value }) =>
    value === undefined || value === 0 ? [] : [u32Attribute(number, value)],
  );
}

export function parseMetrics(bytes: Uint8Array): Metrics {
  const all = eachAttribute(bytes)
    .filter(({ type, value }) => type !== RTAX_CC_ALGO && value.length === 4)
    .map(({ type, value }): RouteMetric => ({ number: type, value: new Unpacker(value).u32() }));
  const find = (wanted: number) => all.find(({ number }) => number === wanted)?.value;
  const [mtu, advmss] = [find(RTAX_MTU), find(RTAX_ADVMSS)];
  const metrics = all.filter(({ number }) => number !== RTAX_MTU && number !== RTAX_ADVMSS);
  return {
    ...(mtu !== undefined && { mtu }),
    ...(advmss !== undefined && { advmss }),
    ...(metrics.length > 0 && { metrics }),
  };
}
