/** What `--net` may be, of which `typed` is there already: networks by name, one after the other. */
import type { KnownNetwork } from '../stage0/networks.ts';
import type { Candidate } from './completion-candidate.ts';

/** These stand alone. */
const WORDS: readonly Candidate[] = [
  { word: 'none', about: 'a loopback interface only' },
  { word: 'host', about: "the host's network" },
  { word: 'all', about: 'every network' },
];

export function networkCandidates(networks: readonly KnownNetwork[], typed: string): readonly Candidate[] {
  const given = typed.split(',').slice(0, -1);
  const taken = given.map((network) => network.replace(/:.*/, ''));
  const before = given.map((network) => `${network},`).join('');
  const names = networks
    .filter(({ name }) => !taken.includes(name))
    .map(({ name, plugins }) => ({ word: before + name, about: plugins.join(' ') }));
  return given.length === 0 ? [...names, ...WORDS] : names;
}
