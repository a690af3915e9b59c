import { expect, it } from 'vitest';
import { networkCandidates } from '../../../src/cli/completion-networks.ts';

const NETWORKS = [
  { name: 'lab', plugins: ['bridge', 'portmap'] },
  { name: 'default', plugins: ['ptp'] },
];

it.each([
  ['', ['lab', 'default', 'none', 'host', 'all']],
  ['la', ['lab', 'default', 'none', 'host', 'all']],
  ['lab,', ['lab,default']],
  ['lab:IP=10.0.0.1;K=V,d', ['lab:IP=10.0.0.1;K=V,default']],
  ['x,lab,', ['x,lab,default']],
])('behind %j may come %j', (typed, words) => {
  expect(networkCandidates(NETWORKS, typed).map(({ word }) => word)).toEqual(words);
});

it('tells what makes each', () => {
  expect(networkCandidates(NETWORKS, '')[0]).toEqual({ word: 'lab', about: 'bridge portmap' });
});
