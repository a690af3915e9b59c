export { discoverImage, discoverPublicKeys } from './discovery.ts';
export type { DiscoveryOptions } from './page.ts';
export type { AciEndpoint } from './template.ts';
