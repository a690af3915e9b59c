/**
 * What is taken from Debian, in which version. Both come from the release below, whatever release the
 * host runs: a kernel in a stage1 image need not be the host's.
 */
export const debianRelease = 'trixie';

export const quickjs = { package: 'quickjs', version: '2025.04.26-1' } as const;

/**
 * Security updates replace kernels: a mirror drops an old version some time after its successor appears.
 * `version` is what is tested; when it is gone, the newest of the same series is taken, and said so.
 */
export const kernel = {
  series: '6.12',
  package: 'linux-image-6.12.117+deb13-cloud-amd64',
  version: '6.12.117-1',
} as const;

/** The source of the same kernel, for our own. */
export const kernelSource = { name: `linux-source-${kernel.series}`, version: kernel.version } as const;
