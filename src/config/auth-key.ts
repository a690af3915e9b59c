import { canonicalRegistry } from './registry.ts';

/**
 * What a key of `auths` or `credHelpers` stands for: `HOST[:PORT]`, or `HOST[:PORT]/PATH` for what lies below a path. Docker
 * has written addresses of the registry's interface, such as https://index.docker.io/v1/, which stand for the whole registry.
 */
export function authScope(key: string): string {
  const address = key.replace(/^https?:\/\//, '');
  const [host = '', ...path] = address.split('/');
  const isInterface = address !== key || /\/v[12]\/?$/.test(`/${path.join('/')}`);
  const scope = isInterface ? [] : path.filter((segment) => segment !== '');
  return [canonicalRegistry(host), ...scope].join('/');
}

/** The scopes that hold a repository, the narrowest first. */
export function scopesOf(registry: string, repository: string): readonly string[] {
  const segments = repository.split('/').filter((segment) => segment !== '');
  const paths = segments.map((_, index) => segments.slice(0, segments.length - index).join('/'));
  const host = canonicalRegistry(registry);
  return [...paths.map((path) => `${host}/${path}`), host];
}

/** How credential helpers may know a registry. Docker's is one address to Docker, a name to others. */
export function helperServers(registry: string): readonly string[] {
  const name = canonicalRegistry(registry);
  return name === canonicalRegistry('docker.io') ? ['https://index.docker.io/v1/', 'docker.io'] : [name];
}
