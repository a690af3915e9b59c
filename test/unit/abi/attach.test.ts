import { describe, expect, it } from 'vitest';
import {
  type AttachArguments,
  formatAttachArguments,
  parseAttachArguments,
  parseAttachMode,
  parseDetachKeys,
} from '../../../src/abi/attach.ts';
import { type ControlAnswer, parseControlAnswer, parseControlRequest } from '../../../src/abi/control.ts';

const keys = { detachKeys: 'ctrl-p,ctrl-q' };

describe('the arguments of the entrypoint', () => {
  it.each<AttachArguments>([
    { app: 'web', debug: false, action: { kind: 'list' }, ...keys },
    { app: 'web', debug: true, action: { kind: 'auto-attach' }, detachKeys: 'ctrl-a,d' },
    { app: 'web', debug: false, action: { kind: 'custom-attach', endpoints: ['stdin', 'stderr'] }, ...keys },
    { app: 'web', debug: false, action: { kind: 'custom-attach', endpoints: ['tty-out'] }, detachKeys: '' },
  ])('%j are read as they were written', (args) => {
    expect(parseAttachArguments(formatAttachArguments(args))).toEqual(args);
  });

  it('are those of rkt where nothing of ours is asked for', () => {
    const action = { kind: 'custom-attach', endpoints: ['tty-in', 'tty-out'] } as const;
    expect(formatAttachArguments({ app: 'web', debug: false, action, ...keys })).toEqual([
      '--action=custom-attach',
      ...['--stdin=false', '--stdout=false', '--stderr=false', '--tty-in=true', '--tty-out=true'],
      ...['--app=web', '--debug=false'],
    ]);
  });

  it.each([
    [['--action=list'], 'attach: --app is missing'],
    [['--action=jump', '--app=web'], 'attach: --action="jump" is none that can be done'],
    [['--app=web'], 'attach: --action=undefined is none that can be done'],
    [['--action=custom-attach', '--app=web'], 'mode must specify at least one endpoint to attach'],
    [['--action=custom-attach', '--app=web', '--tty-in=true', '--stdin=true'], 'incompatible endpoints'],
  ])('%j are refused', (args, message) => {
    expect(() => parseAttachArguments(args)).toThrow(message);
  });
});

describe('modes', () => {
  it.each([
    ['list', { kind: 'list' }],
    ['auto', { kind: 'auto-attach' }],
    ['', { kind: 'auto-attach' }],
    ['stderr,stdin', { kind: 'custom-attach', endpoints: ['stdin', 'stderr'] }],
    ['tty', { kind: 'custom-attach', endpoints: ['tty-in', 'tty-out'] }],
    ['tty-out,tty-out', { kind: 'custom-attach', endpoints: ['tty-out'] }],
  ])('%j', (text, action) => {
    expect(parseAttachMode(text)).toEqual(action);
  });

  it.each(['stdin,', 'tty,stdout', 'list,stdin', 'STDIN'])('%j is none', (text) => {
    expect(() => parseAttachMode(text)).toThrow(/endpoint/);
  });
});

describe('keys that detach', () => {
  it.each([
    ['ctrl-p,ctrl-q', [16, 17]],
    ['ctrl-P', [16]],
    ['ctrl-@,ctrl-[,ctrl-\\,ctrl-],ctrl-^,ctrl-_', [0, 27, 28, 29, 30, 31]],
    ['~,.', [126, 46]],
    ['', []],
  ])('%j', (text, bytes) => {
    expect([...parseDetachKeys(text)]).toEqual(bytes);
  });

  it.each(['ctrl-', 'ctrl-1', 'F1', ' ', 'a,', 'ä', 'ctrl-p ctrl-q'])('%j are none', (text) => {
    expect(() => parseDetachKeys(text)).toThrow(/is no key/);
  });
});

describe('requests and answers', () => {
  it.each([
    { type: 'endpoints', app: 'web' },
    { type: 'attach', app: 'web', endpoints: ['stdin', 'stdout'], window: null },
    { type: 'attach', app: 'web', endpoints: ['tty-out'], window: { rows: 24, columns: 80 } },
  ])('%j', (request) => {
    expect(parseControlRequest(JSON.parse(JSON.stringify(request)))).toEqual(request);
  });

  it.each([['socket'], ['stdin', 'stdin'], ['stdout', 'socket']].map((endpoints) => [endpoints]))(
    'of the endpoints %j are refused',
    (endpoints) => {
      expect(() => parseControlRequest({ type: 'attach', app: 'web', endpoints })).toThrow(
        /is not a list of endpoints/,
      );
    },
  );

  it.each<ControlAnswer>([
    { type: 'attached' },
    { type: 'endpoints', names: [] },
    { type: 'endpoints', names: ['stdin', 'stderr'] },
  ])('%j', (answer) => {
    expect(parseControlAnswer(JSON.parse(JSON.stringify(answer)))).toEqual(answer);
  });
});
