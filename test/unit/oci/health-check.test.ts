import { describe, expect, test } from 'vitest';
import { healthOf } from '../../../src/abi/health.ts';
import { parseImageConfig } from '../../../src/oci/config.ts';
import { parseDigest } from '../../../src/oci/digest.ts';
import { toImageConfig } from '../../../src/oci/from-appc.ts';
import { toImageManifest } from '../../../src/oci/to-appc.ts';
import { config, sha } from './document-examples.ts';

const source = {
  name: 'example.com/app',
  originalName: 'docker://example.com/app',
  configDigest: parseDigest(sha('c')),
  manifestDigest: parseDigest(sha('d')),
};
const manifestWith = (check: unknown) =>
  toImageManifest(parseImageConfig({ ...config, config: { ...config.config, Healthcheck: check } }), source);

const SECOND = 1_000_000_000;

describe('the health check of a Docker image', () => {
  test('becomes that of the app', () => {
    const check = {
      Test: ['CMD', '/check', '-q'],
      Interval: 5 * SECOND,
      Timeout: SECOND,
      Retries: 2,
      StartPeriod: SECOND,
    };
    expect(healthOf(manifestWith(check))).toEqual({
      command: ['/check', '-q'],
      ...{ interval: 5000, timeout: 1000, retries: 2, startPeriod: 1000 },
    });
  });

  test('has our defaults and stays within our limits', () => {
    expect(healthOf(manifestWith({ Test: ['CMD-SHELL', 'test -e /ok'] }))).toEqual({
      command: ['/bin/sh', '-c', 'test -e /ok'],
      ...{ interval: 30_000, timeout: 10_000, retries: 3, startPeriod: 0 },
    });
    expect(healthOf(manifestWith({ Test: ['CMD', 'x'], Interval: 1_000_000 }))?.interval).toBe(100);
  });

  test.each([
    undefined,
    null,
    {},
    { Test: [] },
    { Test: ['NONE'] },
    { Test: ['CMD'] },
    { Test: ['ELSE', 'x'] },
  ])('%j is none', (check) => {
    expect(healthOf(manifestWith(check))).toBeUndefined();
  });

  test('that is no check is refused with its place', () => {
    expect(() => manifestWith({ Test: 'true' })).toThrow(/config\.Healthcheck\.Test/);
    expect(() => manifestWith({ Test: ['CMD', 'a'], Interval: -1 })).toThrow(/config\.Healthcheck\.Interval/);
  });

  test('goes with an image that is exported', () => {
    const manifest = manifestWith({ Test: ['CMD', 'x'], Interval: SECOND });
    const exported = parseImageConfig(JSON.parse(toImageConfig(manifest, [])));
    expect(exported.execution.healthCheck).toEqual(healthOf(manifest));
  });
});
