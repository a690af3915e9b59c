import { describe, expect, it } from 'vitest';
import { formatHealth, HEALTH_ANNOTATION, HEALTH_DEFAULTS, healthOf } from '../../../src/abi/health.ts';
import { RESTART_ANNOTATION, restartOf } from '../../../src/abi/restart.ts';
import {
  blankImageManifest,
  parseACIdentifier,
  parsePodManifest,
  type RuntimeApp,
} from '../../../src/appc/index.ts';
import { type LifeRequest, refuseRestart, withLife } from '../../../src/stage0/life-request.ts';

const annotation = (name: string, value: string) => ({ name: parseACIdentifier(name), value });
const image = blankImageManifest(parseACIdentifier('example.com/web'));
const own = { command: ['/own'], interval: 1000, timeout: 2000, retries: 5, startPeriod: 7000 };
const checked = { ...image, annotations: [annotation(HEALTH_ANNOTATION, formatHealth(own))] };

function appWith(...annotations: readonly ReturnType<typeof annotation>[]): RuntimeApp {
  const app = { name: 'web', image: { id: `sha512-${'ab'.repeat(32)}` }, annotations };
  const [first] = parsePodManifest({ acVersion: '0.8.11', acKind: 'PodManifest', apps: [app] }).apps;
  if (first === undefined) throw new Error('no app');
  return first;
}

const blank = appWith();
const health = (request: LifeRequest, of = image, app = blank) => healthOf(withLife(app, request, of));

describe('a restart policy', () => {
  it('is an annotation of the app, and replaces one', () => {
    const request = { restart: { policy: 'on-failure', most: 2 } } as const;
    expect(withLife(blank, request, image).annotations).toEqual([
      annotation(RESTART_ANNOTATION, 'on-failure:2'),
    ]);
    const given = appWith(annotation('a', 'b'), annotation(RESTART_ANNOTATION, 'always'));
    expect(restartOf(withLife(given, request, image))).toEqual(request.restart);
    expect(withLife(given, {}, image)).toEqual(given);
  });

  it('that is none is refused, whoever wrote it', () => {
    expect(() => withLife(appWith(annotation(RESTART_ANNOTATION, 'hm')), {}, image)).toThrow(
      'app web: "hm" is no restart policy',
    );
  });

  it('does not go with a terminal, unless it is none', () => {
    expect(() => refuseRestart({ policy: 'on-failure', most: 2 })).toThrow('--restart=on-failure:2');
    for (const none of [undefined, { policy: 'no', most: null } as const]) refuseRestart(none);
  });
});

describe('a health check', () => {
  it('is none where nobody asks for one', () => {
    expect(withLife(blank, {}, image)).toEqual(blank);
  });

  it('that is done without has no times', () => {
    expect(() => health({ health: { line: '', retries: 1 } }, checked)).toThrow('does without');
  });

  it('is a line for a shell, with defaults', () => {
    expect(health({ health: { line: 'test -e /ok', retries: 1 } })).toEqual({
      ...HEALTH_DEFAULTS,
      command: ['/bin/sh', '-c', 'test -e /ok'],
      retries: 1,
    });
  });

  it("is the image's own, with what is given changed", () => {
    expect(health({}, checked)).toEqual(own);
    expect(health({ health: { interval: 500 } }, checked)).toEqual({ ...own, interval: 500 });
    expect(health({ health: { line: 'x' } }, checked)).toEqual({ ...own, command: ['/bin/sh', '-c', 'x'] });
    expect(health({ health: { line: '' } }, checked)).toBeUndefined();
  });

  it('of the manifest comes before that of the image', () => {
    const given = appWith(annotation(HEALTH_ANNOTATION, '{"command":["/given"]}'));
    expect(health({}, checked, given)?.command).toEqual(['/given']);
    expect(health({ health: { line: 'x' } }, image, given)?.command).toEqual(['/bin/sh', '-c', 'x']);
  });

  it('needs something to run', () => {
    expect(() => health({ health: { interval: 500 } })).toThrow(
      /neither --health-cmd nor image example.com\/web/,
    );
    expect(() => withLife(appWith(annotation(HEALTH_ANNOTATION, '{}')), {}, image)).toThrow(
      /app web: health.command/,
    );
  });
});
