import { expect, test } from 'vitest';
import { parseVolumePlan, VOLUME_PLAN_VERSION } from '../../../src/abi/volume-plan.ts';
import { plannedFurther } from '../../../src/stage0/volume-kinds.ts';
import { parseMountRequest, parseVolumeRequest } from '../../../src/stage0/volume-request.ts';

const top = { mode: 0o755, uid: 0, gid: 0 };

test.each([
  ['v,kind=named', { kind: 'named', volume: 'v', ...top }],
  ['v,kind=named,source=data-1,mode=2770,uid=5,gid=6', { volume: 'data-1', mode: 0o2770, uid: 5, gid: 6 }],
  ['v,kind=tmpfs', { kind: 'tmpfs', bytes: null, ...top, mode: 0o1777 }],
  ['v,kind=tmpfs,size=64Mi,mode=0700', { bytes: 64 * 1024 * 1024, mode: 0o700 }],
  ['v,kind=block,source=/dev/sdb', { kind: 'block', source: '/dev/sdb', uid: 0, gid: 0 }],
  ['v,kind=block,source=/a.img,fs=ext4,uid=7,gid=8', { source: '/a.img', uid: 7, gid: 8 }],
  [
    'v,kind=secret,source=/run/word',
    {
      kind: 'secret',
      origin: { from: 'file', name: '/run/word' },
      mode: 0o400,
      uid: null,
      gid: null,
      readOnly: true,
    },
  ],
  ['v,kind=secret,source=/a,readOnly=true', { readOnly: true }],
  [
    'v,kind=secret,env=A_1,mode=0440,gid=9',
    { origin: { from: 'environment', name: 'A_1' }, mode: 0o440, gid: 9 },
  ],
])('--volume=%s', (text, expected) => {
  const request = parseVolumeRequest(text);
  if (request.kind === 'host' || request.kind === 'empty') throw new Error(`of kind ${request.kind}`);
  const planned = plannedFurther(request, { key: 'v', readOnly: false });
  expect(planned).toMatchObject({ key: 'v', ...expected });
  // The record keeps all of it.
  const record = { version: VOLUME_PLAN_VERSION, volumes: [planned], mounts: [] };
  expect(parseVolumePlan(JSON.parse(JSON.stringify(record))).volumes).toEqual([planned]);
});

test.each([
  ['v,kind=named,source=No', '"No" is no name of a volume'],
  ['v,kind=named,source=../x', '"../x" is no name of a volume'],
  ['v,kind=tmpfs,size=0', 'size: "0" is no size'],
  ['v,kind=tmpfs,size=much', 'size: "much" is no size'],
  ['v,kind=tmpfs,source=/x', 'unknown parameter "source"'],
  ['v,kind=block', 'source is missing'],
  ['v,kind=block,source=disk.img', 'source must be an absolute path'],
  ['v,kind=block,source=/a,fs=xfs', 'fs is ext4, not "xfs"'],
  ['v,kind=secret', 'source is missing'],
  ['v,kind=secret,source=/a,env=A', 'source and env exclude each other'],
  ['v,kind=secret,env=A=B', '"A=B" is no name of a variable'],
  ['v,kind=secret,source=/a,readOnly=false', 'readOnly=false: a secret is read-only'],
  ['v,kind=secret,source=/a,mode=4755', 'mode: "4755" is no mode'],
])('--volume=%s is refused', (text, why) => {
  expect(() => parseVolumeRequest(text)).toThrow(why);
});

test.each([
  ['a', 'a'],
  ['a//./b/', 'a/b'],
])('subPath=%s is %s', (text, subPath) => {
  expect(parseMountRequest(`volume=v,target=/t,subPath=${text}`)).toEqual({
    volume: 'v',
    path: '/t',
    subPath,
  });
});

test.each(['', '/', '.', '..', 'a/..', '/etc', 'a/../../b'])('subPath=%s is refused', (text) => {
  expect(() => parseMountRequest(`volume=v,target=/t,subPath=${text}`)).toThrow(
    'is no path below the volume',
  );
});

test.each([
  [{ kind: 'named', key: 'v', readOnly: false, volume: '../x', ...top }, 'volume'],
  [{ kind: 'limited', key: 'v', readOnly: false, bytes: 0, ...top }, 'bytes'],
  [{ kind: 'secret', key: 'v', readOnly: true, origin: { from: 'net', name: 'x' }, mode: 0 }, 'from'],
  [{ kind: 'secret', key: 'v', readOnly: true, origin: { from: 'file', name: '/x' }, mode: 0o4000 }, 'mode'],
])('a record of %j is none', (volume, where) => {
  const record = { version: VOLUME_PLAN_VERSION, volumes: [volume], mounts: [] };
  expect(() => parseVolumePlan(record)).toThrow(where);
});
