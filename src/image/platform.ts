import type { Platform } from '../oci/index.ts';

/** In Go's words, which OCI images use; Node's own differ for these. */
export function hostPlatform(): Platform {
  const architectures: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };
  return { os: 'linux', architecture: architectures[process.arch] ?? process.arch };
}
