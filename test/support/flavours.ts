import { artefacts } from '../../tools/paths.ts';

/** What a stage1 flavour can do, so that one test serves all and asks for what it needs. */
export interface Flavour {
  /** As in the name of its image: `stage1-kvm`. */
  readonly name: string;
  readonly imageName: string;
  readonly image: string;
  /** A kernel of its own: uname differs from the host's. */
  readonly ownKernel: boolean;
  readonly severalApps: boolean;
  /** The process of the host that has the files open which PID 1 opens in the apps' roots, as /proc calls it. */
  readonly rootsHolder: string;
  /** Apps can come and go while a pod runs. */
  readonly mutablePods: boolean;
}

const ALL: readonly Flavour[] = [
  {
    name: 'stage1-kvm',
    imageName: 'coreos.com/rkt/stage1-kvm',
    image: artefacts.stage1Kvm,
    ownKernel: true,
    severalApps: true,
    mutablePods: true,
    rootsHolder: 'virtiofsd',
  },
  {
    name: 'stage1-ns',
    imageName: 'coreos.com/rkt/stage1-ns',
    image: artefacts.stage1Ns,
    ownKernel: false,
    severalApps: true,
    mutablePods: true,
    rootsHolder: 'init',
  },
];

/** `RKT_TEST_FLAVOUR`: the only one that is tested. */
const { RKT_TEST_FLAVOUR } = process.env;
export const FLAVOURS: readonly Flavour[] = ALL.filter(({ name }) => name === (RKT_TEST_FLAVOUR ?? name));
if (FLAVOURS.length === 0) throw new RangeError(`RKT_TEST_FLAVOUR: there is no ${RKT_TEST_FLAVOUR}`);

/** A flavour, and what pods of it are asked to have besides. */
export interface Variant extends Flavour {
  readonly flags: readonly string[];
}

/** What confines apps, in all its kinds: pods in namespaces can have users of their own as well. */
export const VARIANTS: readonly Variant[] = FLAVOURS.flatMap((flavour): Variant[] => [
  { ...flavour, flags: [] },
  ...(flavour.ownKernel
    ? []
    : [{ ...flavour, name: `${flavour.name}-private-users`, flags: ['--private-users'] }]),
]);

/** Isolates nothing, and so is none of those above: what it does has tests of its own, as have stage1 images of any kind. */
export const FLY: Flavour = {
  name: 'stage1-fly',
  imageName: 'coreos.com/rkt/stage1-fly',
  image: artefacts.stage1Fly,
  ownKernel: false,
  severalApps: false,
  mutablePods: false,
  rootsHolder: 'stage1-fly',
};
