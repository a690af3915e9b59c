import { expect, it } from 'vitest';
import { mountCandidates, volumeCandidates } from '../../../src/cli/completion-volumes.ts';

const KINDS = ['host', 'empty', 'named', 'tmpfs', 'block', 'secret'];

it.each([
  ['', ['data,kind=named']],
  ['da', ['data,kind=named', 'da,kind=']],
  ['name=', ['name=data,kind=named']],
  ['name=d', ['name=data,kind=named', 'name=d,kind=']],
  ['d,', KINDS.map((kind) => `d,kind=${kind}`)],
  ['d,kind=ho', KINDS.map((kind) => `d,kind=${kind}`)],
  ['d,kind=host,so', []],
  ['d,kind=named,so', ['d,kind=named,source=data']],
])('in --volume behind %j may come %j', (typed, words) => {
  expect(volumeCandidates(typed, ['data'])).toEqual(words);
});

it.each([
  ['', ['volume=d,target=', 'volume=e,target=']],
  ['volume=e', ['volume=d,target=', 'volume=e,target=']],
  ['target=/x,', ['target=/x,volume=d', 'target=/x,volume=e']],
  ['volume=d,', ['volume=d,target=', 'volume=d,subPath=']],
  ['volume=d,target=/x,', ['volume=d,target=/x,subPath=']],
])('in --mount behind %j may come %j', (typed, words) => {
  expect(mountCandidates(typed, ['d,kind=empty', 'name=e,kind=host'])).toEqual(words);
});
