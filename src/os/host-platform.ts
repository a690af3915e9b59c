/** Node's names of architectures in appc's words. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'aarch64', ia32: 'i386' };

/** The machine that this runs on, in the words of appc's labels. */
export const hostPlatform = { os: 'linux', arch: ARCHITECTURES[process.arch] ?? process.arch } as const;
