import { describe, expect, it } from 'vitest';
import { blankApp, blankImageManifest, findIsolator, parseACIdentifier } from '../../../src/appc/index.ts';
import { type AppRequest, requestedApp } from '../../../src/stage0/app-request.ts';
import { parseEnvironmentFile } from '../../../src/stage0/environment-file.ts';
import { parseInsecureOptions } from '../../../src/stage0/insecure-options.ts';
import { podEnvironment } from '../../../src/stage0/pod-request.ts';

const image = {
  ...blankImageManifest(parseACIdentifier('example.com/app')),
  app: {
    ...blankApp,
    exec: ['/image', 'own'],
    user: 'alice',
    workingDirectory: '/home',
    environment: [{ name: 'A', value: 'image' }],
  },
};
const nothing = podEnvironment({ inherit: undefined, files: [], set: [] });
const request = (more: Partial<AppRequest> = {}): AppRequest => ({
  image: 'x',
  args: [],
  environment: [],
  readOnlyRootfs: false,
  ...more,
});
const app = (more: Partial<AppRequest>, environment = nothing) =>
  requestedApp(image, request(more), environment);

describe('the app of an image', () => {
  it("is the image's, with the arguments behind its command", () => {
    expect(app({ args: ['more'] })).toEqual({ ...image.app, exec: ['/image', 'own', 'more'] });
  });

  it('has the command, user, group, groups and directory that it is given', () => {
    const given = {
      exec: '/bin/x',
      args: ['y'],
      user: '5',
      group: '6',
      supplementaryGids: '7,8',
      workingDirectory: '/w',
    };
    expect(app(given)).toMatchObject({
      exec: ['/bin/x', 'y'],
      user: '5',
      group: '6',
      supplementaryGIDs: [7, 8],
      workingDirectory: '/w',
    });
  });

  it('needs a command from somewhere', () => {
    const { app: _, ...empty } = image;
    expect(() => requestedApp(empty, request(), nothing)).toThrow('--exec argument is not provided');
    expect(requestedApp(empty, request({ exec: '/x' }), nothing)).toMatchObject({ exec: ['/x'], user: '0' });
  });

  it("has limits that replace the image's", () => {
    const once = { ...image, app: app({ memory: '1G', cpu: '500m' }) };
    const { isolators } = requestedApp(once, request({ memory: '2G' }), nothing);
    expect(isolators).toHaveLength(2);
    expect(findIsolator(isolators, 'resource', 'resource/memory')?.value).toMatchObject({ limit: '2G' });
    expect(findIsolator(isolators, 'resource', 'resource/cpu')?.value).toMatchObject({ limit: '500m' });
  });

  it.each([
    [{ memory: '128m' }, 'lower than 4 KiB'],
    [{ memory: 'much' }, '--memory: expected a quantity'],
    [{ supplementaryGids: '1,x' }, '--supplementary-gids: "x" is not a group id'],
    [{ workingDirectory: 'here' }, '--working-dir: "here" is not an absolute path'],
    [{ environment: ['A'] }, 'must be specified as name=value'],
  ])('is refused for %j', (more, message) => {
    expect(() => app(more)).toThrow(message);
  });

  it('has an environment: parent < image < file < --set-env < --environment', () => {
    const names = ['A', 'B', 'C', 'D', 'E'];
    const all = (source: string, from: number) => names.slice(from).map((name) => `${name}=${source}`);
    const weak = {
      ...image,
      app: { ...image.app, environment: names.slice(1).map((name) => ({ name, value: 'image' })) },
    };
    const pod = podEnvironment({
      inherit: {
        ...Object.fromEntries(names.map((name) => [name, 'parent'])),
        'BASH_FUNC_x%%': '()',
        NOTIFY_SOCKET: '/x',
      },
      files: [{ path: 'f', text: all('file', 2).join('\n') }],
      set: all('set', 3),
    });
    const { environment } = requestedApp(weak, request({ environment: all('own', 4) }), pod);
    expect(environment.map(({ name, value }) => `${name}=${value}`)).toEqual([
      'A=parent',
      'B=image',
      'C=file',
      'D=set',
      'E=own',
    ]);
  });
});

describe('an environment file', () => {
  it('is a variable a line, without comments', () => {
    expect(parseEnvironmentFile('# c\n; c\n\nA=1\nB==2 \n', 'f')).toEqual([
      { name: 'A', value: '1' },
      { name: 'B', value: '=2 ' },
    ]);
  });

  it.each([
    ['A=1\nA=2', 'f:2: environment variable "A" is set twice'],
    ['A', 'f:1: environment variable must be specified as name=value'],
    ['1=2', 'f:1: "1" is not a name'],
  ])('is refused: %j', (text, message) => {
    expect(() => parseEnvironmentFile(text, 'f')).toThrow(message);
  });
});

describe('insecure options', () => {
  it('are words that stand for checks', () => {
    expect([...parseInsecureOptions('image,all-run')]).toEqual(['image', 'capabilities', 'paths', 'seccomp']);
    expect(parseInsecureOptions('none').size).toBe(0);
    expect(parseInsecureOptions('all').size).toBe(7);
    expect(() => parseInsecureOptions('image,everything')).toThrow('unknown insecure option "everything"');
    expect(() => parseInsecureOptions('toString')).toThrow('unknown insecure option');
  });
});
