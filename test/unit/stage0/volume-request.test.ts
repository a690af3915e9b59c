import { describe, expect, it } from 'vitest';
import {
  appcMount,
  appcVolume,
  parseMountedVolume,
  parseMountRequest,
  parseVolumeRequest,
  volumeRequest,
} from '../../../src/stage0/volume-request.ts';

describe('--volume', () => {
  it('has a name first, or where it is called one, and what its kind has', () => {
    const host = { kind: 'host', name: 'v', source: '/a=b', idMap: null };
    expect(parseVolumeRequest('v,kind=host,source=/a=b')).toEqual(host);
    expect(parseVolumeRequest('kind=host,source=/a=b,name=v')).toEqual(host);
    expect(parseVolumeRequest('v,kind=host,source=/a,readOnly=true,recursive=false,idmap=none')).toEqual({
      ...{ ...host, source: '/a', readOnly: true, recursive: false, idMap: 'none' },
    });
    expect(parseVolumeRequest('v,kind=host,source=/a=b,idmap=auto')).toEqual({ ...host, idMap: 'auto' });
    expect(parseVolumeRequest('v,kind=empty')).toEqual({
      kind: 'empty',
      name: 'v',
      mode: 0o755,
      uid: 0,
      gid: 0,
    });
  });

  it('is in the manifest as appc has it', () => {
    const volume = parseVolumeRequest('v,kind=empty,mode=1777,uid=7,gid=8,readOnly=true');
    const appc = { kind: 'empty', name: 'v', readOnly: true, mode: '1777', uid: 7, gid: 8 };
    expect(appcVolume(volume)).toEqual(appc);
    expect(volumeRequest(appcVolume(volume))).toEqual(volume);
    expect(appcVolume(parseVolumeRequest('v,kind=host,source=/s,idmap=none'))).toEqual({
      kind: 'host',
      name: 'v',
      source: '/s',
    });
  });

  it.each([
    ['v', 'kind is missing'],
    ['V,kind=empty', '"V" is no name of a volume'],
    ['v,kind=odd', 'unknown volume kind "odd"'],
    ['v,kind=toString', 'unknown volume kind "toString"'],
    ['v,kind=host', 'source is missing'],
    ['v,kind=host,source=rel/ative', 'source must be an absolute path, not "rel/ative"'],
    ['v,kind=host,source=/a,mode=755', 'unknown parameter "mode"'],
    ['v,kind=empty,source=/a', 'unknown parameter "source"'],
    ['v,kind=empty,mode=999', 'mode: "999" is no mode in octal digits'],
    ['v,kind=empty,mode=17777', 'mode: "17777" is no mode in octal digits'],
    ['v,kind=empty,uid=-1', 'uid: "-1" is no id'],
    ['v,kind=empty,uid=4294967295', 'uid: "4294967295" is no id'],
    ['v,kind=host,source=/a,readOnly=yes', 'readOnly is true or false, not "yes"'],
    ['v,kind=host,source=/a,idmap=some', 'idmap is auto or none, not "some"'],
    ['v,kind=empty,kind=host', 'kind is given twice'],
    ['v,kind=empty,flag', '"flag" is not KEY=VALUE'],
  ])('%s is refused', (text, message) => {
    expect(() => parseVolumeRequest(text)).toThrow(message);
    expect(() => parseVolumeRequest(text)).toThrow(`--volume: ${JSON.stringify(text)}`);
  });
});

describe('--mount and --mnt-volume', () => {
  it('say what is where', () => {
    expect(parseMountRequest('volume=v,target=/t')).toMatchObject({ volume: 'v', path: '/t' });
    const own = parseMountedVolume('v,kind=host,source=/s,target=/t');
    expect(own).toMatchObject({ volume: 'v', path: '/t', own: { kind: 'host', source: '/s' } });
    expect(appcMount(own)).toEqual({
      volume: 'v',
      path: '/t',
      appVolume: { kind: 'host', name: 'v', source: '/s' },
    });
  });

  it.each([
    ['volume=v', 'target is missing'],
    ['target=/t', 'volume is missing'],
    ['v,target=/t', '"v" is not KEY=VALUE'],
    ['volume=v,target=/t,readOnly=true', 'unknown parameter "readOnly"'],
  ])('--mount=%s is refused', (text, message) => {
    expect(() => parseMountRequest(text)).toThrow(message);
  });
});
