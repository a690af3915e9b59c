import { refuse } from './errors.ts';
import { formatPlatform, type Platform } from './platform.ts';

/** From OCI's word (os/architecture, with the variant where it matters) to appc's architecture. */
const architectures: ReadonlyMap<string, string> = new Map([
  ['linux/amd64', 'amd64'],
  ['linux/386', 'i386'],
  ['linux/arm64', 'aarch64'],
  ['linux/arm', 'armv7l'],
  ['linux/arm/v6', 'armv6l'],
  ['linux/arm/v5', 'armv6l'],
  ['linux/arm/v7', 'armv7l'],
  ['linux/ppc64', 'ppc64'],
  ['linux/ppc64le', 'ppc64le'],
  ['linux/s390x', 's390x'],
  ['freebsd/amd64', 'amd64'],
  ['freebsd/386', 'i386'],
  ['freebsd/arm', 'arm'],
  ['darwin/amd64', 'x86_64'],
  ['darwin/386', 'i386'],
]);

/** The labels `os` and `arch` of an image. Throws OciError `unsupported-platform`. */
export function appcPlatform(platform: Platform): { readonly os: string; readonly arch: string } {
  const { os, architecture } = platform;
  const arch = architectures.get(formatPlatform(platform)) ?? architectures.get(`${os}/${architecture}`);
  if (arch !== undefined) return { os, arch };
  throw refuse('unsupported-platform', '', `appc has no name for the platform ${formatPlatform(platform)}`);
}

/** The other way round; an image without labels is for the platform that most are for. Throws OciError `unsupported-platform`. */
export function ociPlatform(os = 'linux', arch = 'amd64'): Platform {
  const [name] =
    [...architectures].find(([word, known]) => word.startsWith(`${os}/`) && known === arch) ?? [];
  const [, architecture, variant] = name?.split('/') ?? [];
  if (architecture === undefined)
    throw refuse('unsupported-platform', '', `OCI has no name for the platform ${os}/${arch}`);
  return variant === undefined ? { os, architecture } : { os, architecture, variant };
}
