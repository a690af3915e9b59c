import type { ACIdentifier } from '../../appc/index.ts';
import { metaTags } from './meta-tags.ts';

export type DiscoveryTagName = 'ac-discovery' | 'ac-discovery-pubkeys';

/** Bounds what a page can make its reader do. */
const LONGEST_VALUE = 2048;
const MOST_TAGS = 64;

/**
 * The templates or URLs that a page has for an image of this name: what follows the prefix in `content="PREFIX VALUE"`, where PREFIX
 * begins the name. That is a comparison of texts, not of path elements (appc 0.8.11, discovery.md): `example.com/app` holds for
 * `example.com/apple` too. It gives nobody anything: the page is of a parent of the name that was asked for.
 */
export function discoveryTags(html: string, tagName: DiscoveryTagName, name: ACIdentifier): string[] {
  return metaTags(html)
    .filter((tag) => tag.name.trim().toLowerCase() === tagName)
    .flatMap((tag) => {
      const [prefix = '', ...rest] = tag.content.trim().split(/\s+/);
      const value = rest.join(' ');
      const holds = prefix !== '' && name.startsWith(prefix);
      return holds && value !== '' && value.length <= LONGEST_VALUE ? [value] : [];
    })
    .slice(0, MOST_TAGS);
}
