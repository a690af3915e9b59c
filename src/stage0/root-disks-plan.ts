/** Which images a machine gets for the roots of its apps. Pure. */
import { MOST_ROOT_IMAGES } from '../abi/root-disks.ts';

/** An app's layers by their names in the store, the lowest first. */
export interface AppLayers {
  readonly name: string;
  readonly layers: readonly string[];
}

export interface ImagesPlan {
  /** Of one layer each, or of a chain of them, the lowest first. */
  readonly images: readonly (readonly string[])[];
  /** Places in `images`, the top layer first. */
  readonly apps: readonly { readonly name: string; readonly layers: readonly number[] }[];
}

/**
 * A disk for each layer, so that all pods with the layer read the same file; where that makes too many, all layers of an image
 * become one, the deepest image first. Undefined: there are too many images.
 */
export function planImages(apps: readonly AppLayers[]): ImagesPlan | undefined {
  const merged = new Set<string>();
  for (;;) {
    const plan = withMerged(apps, merged);
    if (plan.images.length <= MOST_ROOT_IMAGES) return plan;
    const deepest = deepestOf(apps.filter((app) => app.layers.length > 1 && !merged.has(chainOf(app))));
    if (deepest === undefined) return undefined;
    merged.add(chainOf(deepest));
  }
}

function withMerged(apps: readonly AppLayers[], merged: ReadonlySet<string>): ImagesPlan {
  const images = new Map<string, { readonly layers: readonly string[]; readonly place: number }>();
  const placeOf = (layers: readonly string[]): number => {
    const key = layers.join(' ');
    const { place } = images.get(key) ?? { place: images.size };
    images.set(key, { layers, place });
    return place;
  };
  const planned = apps.map((app) => {
    const disks = merged.has(chainOf(app)) ? [app.layers] : app.layers.map((layer) => [layer]);
    return { name: app.name, layers: disks.map(placeOf).reverse() };
  });
  return { images: [...images.values()].map(({ layers }) => layers), apps: planned };
}

function deepestOf(apps: readonly AppLayers[]): AppLayers | undefined {
  return apps.reduce<AppLayers | undefined>(
    (deepest, app) => (deepest === undefined || app.layers.length > deepest.layers.length ? app : deepest),
    undefined,
  );
}

function chainOf({ layers }: AppLayers): string {
  return layers.join(' ');
}
