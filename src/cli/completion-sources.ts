import { openHost } from '../stage0/host.ts';
import { listImages } from '../stage0/images.ts';
import { list, type PodRecord } from '../stage0/list.ts';
import { type KnownNetwork, knownNetworks } from '../stage0/networks.ts';
import { listTemplates } from '../stage0/templates.ts';
import { volumeNames } from '../stage0/volumes.ts';
import type { FlagValues } from './app-arguments.ts';
import { appCandidates } from './completion-apps.ts';
import type { Candidate } from './completion-candidate.ts';
import { keyCandidates } from './completion-keys.ts';
import { networkCandidates } from './completion-networks.ts';
import { mountCandidates, volumeCandidates } from './completion-volumes.ts';
import type { Flag } from './flag.ts';
import { all, globalValues } from './flag-values.ts';
import { hostOptions } from './global-flags.ts';
import { MOUNT_WORDS, MOUNTED_VOLUME_WORDS, VOLUME_FLAG, VOLUME_WORDS } from './volume-flags.ts';

/** What a shell proposes; of files it knows more than we do. */
export type Completion =
  | { readonly kind: 'words'; readonly candidates: readonly Candidate[] }
  | { readonly kind: 'files' }
  | { readonly kind: 'directories' };

type Source =
  | 'pods'
  | 'places'
  | 'images'
  | 'files'
  | 'directories'
  | 'shells'
  | 'networks'
  | 'volumes'
  | 'templates'
  | 'pod-volumes'
  | 'mounts';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** What is behind a word in capitals of a usage line, or behind the words of a flag. All others stand for what nobody knows beforehand. */
const SOURCES: Readonly<Record<string, Source>> = {
  UUID: 'pods',
  SOURCE: 'places',
  DESTINATION: 'places',
  IMAGE: 'images',
  ID: 'images',
  FILE: 'files',
  PUBKEY: 'files',
  DIR: 'directories',
  SHELL: 'shells',
  NETWORKS: 'networks',
  VOLUME: 'volumes',
  TEMPLATE: 'templates',
  [VOLUME_WORDS]: 'pod-volumes',
  [MOUNTED_VOLUME_WORDS]: 'pod-volumes',
  [MOUNT_WORDS]: 'mounts',
};

/** Whatever the command, this flag names an app of a pod. */
const APP_FLAG = 'app';

/** What the value of a flag may be, of which `typed` is there already; `operands` are those before it. */
export function valueCompletion(
  flag: Flag,
  typed: string,
  flags: FlagValues,
  operands: readonly string[],
): Completion {
  const { kind } = flag;
  if (kind.type === 'boolean') return plain(['true', 'false']);
  if (flag.name() === APP_FLAG)
    return { kind: 'words', candidates: appCandidates(records(flags), operands).filter(isHarmless) };
  if (kind.type === 'value' && kind.keys !== undefined) {
    // Those of a flag that is given once are a list.
    return plain(keyCandidates(kind.keys, typed, kind.repeated !== true));
  }
  if (kind.type === 'optional' || kind.choices === undefined)
    return placeholderCompletion(kind.placeholder, typed, flags);
  const list = typed.slice(0, typed.lastIndexOf(',') + 1);
  return plain(kind.choices.map((choice) => list + choice));
}

/** What may stand for a placeholder. Throws what opening a host does. */
export function placeholderCompletion(
  placeholder: string | undefined,
  typed: string,
  flags: FlagValues,
): Completion {
  const source = SOURCES[placeholder ?? ''];
  switch (source) {
    case undefined:
      return plain([]);
    case 'files':
    case 'directories':
      return { kind: source };
    case 'shells':
      return plain(SHELLS);
    case 'networks':
      return { kind: 'words', candidates: networkCandidates(networks(flags), typed).filter(isHarmless) };
    case 'volumes':
      return plain(volumes(flags));
    case 'templates':
      return plain(templates(flags));
    case 'pod-volumes':
      return plain(volumeCandidates(typed, volumes(flags)));
    case 'mounts':
      return plain(mountCandidates(typed, all(flags, VOLUME_FLAG.name())));
    case 'pods':
      return { kind: 'words', candidates: pods(flags).filter(isHarmless) };
    case 'places':
      return /^[./~]|:/.test(typed)
        ? { kind: 'files' }
        : { kind: 'words', candidates: pods(flags).map(asPlace).filter(isHarmless) };
    case 'images':
      // An image may be a file as well; no name in the store begins like that.
      return /^[./~]/.test(typed)
        ? { kind: 'files' }
        : { kind: 'words', candidates: images(flags).filter(isHarmless) };
    default:
      return source satisfies never;
  }
}

/** Files of a pod: the path follows. */
function asPlace({ word, about }: Candidate): Candidate {
  return { word: `${word}:`, about };
}

function plain(words: readonly string[]): Completion {
  return { kind: 'words', candidates: words.map((word) => ({ word, about: '' })) };
}

function pods(flags: FlagValues): readonly Candidate[] {
  return records(flags).flatMap(({ uuid, podName, state, apps }) => {
    const about = [state, ...apps.map(({ name }) => name)].join(' ');
    return [...(podName === undefined ? [] : [podName]), uuid].map((word) => ({ word, about }));
  });
}

function records(flags: FlagValues): readonly PodRecord[] {
  return list(openHost(hostOptions(globalValues(flags)))).pods;
}

function templates(flags: FlagValues): readonly string[] {
  return listTemplates(openHost(hostOptions(globalValues(flags)))).templates.map(({ key }) => key);
}

function volumes(flags: FlagValues): readonly string[] {
  return volumeNames(openHost(hostOptions(globalValues(flags))));
}

function networks(flags: FlagValues): readonly KnownNetwork[] {
  return knownNetworks(openHost(hostOptions(globalValues(flags))));
}

function images(flags: FlagValues): readonly Candidate[] {
  const { images } = listImages(openHost(hostOptions(globalValues(flags))));
  return images.flatMap(({ id, name }) => [
    { word: id, about: name },
    { word: name, about: 'image' },
  ]);
}

/** Names come with images, from whoever made those: none that a shell would read as more than a word. */
function isHarmless({ word }: Candidate): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._:/@+=,-]*$/.test(word);
}
