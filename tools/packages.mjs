/**
 * Every Debian package the project uses beyond Node and npm, and what for. `from`: the first Debian release
 * where it is a package of its own.
 */
const packages = {
  run: [
    { name: 'qemu-system-x86', what: 'the virtual machine monitor' },
    // Debian 12 has it in qemu-system-common, which qemu-system-x86 depends on.
    { name: 'virtiofsd', what: 'serves the root file systems to the guest', from: 13 },
    { name: 'xz-utils', what: 'unpacks images and kernel modules' },
    { name: 'zstd', what: 'unpacks images and the kernel' },
    { name: 'bzip2', what: 'unpacks images' },
    { name: 'nftables', what: 'lets pods reach other machines, and be reached' },
    { name: 'e2fsprogs', what: 'makes the file systems of disks' },
  ],
  build: [
    { name: 'debian-archive-keyring', what: "checks the signatures of Debian's packages" },
    { name: 'dpkg-dev', what: 'unpacks the source of the QuickJS engine' },
    { name: 'patch', what: 'unpacks the source of the QuickJS engine' },
    { name: 'gcc', what: "compiles the engine's compiler" },
    { name: 'libc6-dev', what: "compiles the engine's compiler" },
    { name: 'make', what: 'compiles the engine' },
    { name: 'musl-tools', what: 'compiles the static programs' },
  ],
  kernel: [
    { name: 'flex', what: 'compiles our kernel' },
    { name: 'bison', what: 'compiles our kernel' },
    { name: 'bc', what: 'compiles our kernel' },
    { name: 'libelf-dev', what: 'compiles our kernel' },
  ],
  demo: [{ name: 'busybox-static', what: 'what the demo pod runs' }],
  bench: [
    { name: 'skopeo', what: 'what pulling an image is measured beside' },
    { name: 'umoci', what: 'what pulling an image is measured beside' },
    { name: 'podman', what: 'what pulling an image is measured beside' },
    { name: 'docker-registry', what: 'serves the image that is pulled' },
    { name: 'containernetworking-plugins', what: 'what setting up a network is measured beside' },
    { name: 'iproute2', what: 'makes the tap that a network is measured beside' },
  ],
  test: [
    { name: 'skopeo', what: 'makes images to test with' },
    { name: 'umoci', what: 'makes images to test with' },
    { name: 'mmdebstrap', what: 'makes images to test with' },
    { name: 'podman', what: 'saves images to test with' },
    { name: 'docker-registry', what: 'serves images to fetch in tests' },
    { name: 'apache2-utils', what: "makes the test registry's passwords" },
    { name: 'openssl', what: 'makes certificates to test with' },
    { name: 'gnupg', what: 'makes keys and signatures to test with' },
    { name: 'containernetworking-plugins', what: 'the CNI plugins that ours are compared with' },
    { name: 'iptables', what: "makes plugins' rules in tests" },
    { name: 'iproute2', what: 'makes networks to test with' },
    { name: 'dnsmasq-base', what: 'gives addresses to plugins in tests' },
    { name: 'procps', what: 'shows what processes are left' },
    { name: 'strace', what: 'watches system calls in tests, and kills at them' },
    { name: 'python3', what: 'reads the XML of pictures in tests' },
    { name: 'mandoc', what: 'checks the manual pages in tests' },
    { name: 'zsh', what: 'completes command lines in tests' },
    { name: 'fish', what: 'completes command lines in tests' },
  ],
};

const needed = {
  build: [packages.run, packages.build],
  'build-kernel': [packages.run, packages.build, packages.kernel],
  demo: [packages.run, packages.build, packages.demo],
  bench: [packages.run, packages.build, packages.demo, packages.bench],
  test: [packages.run, packages.build, packages.demo, packages.test],
  package: [packages.run, packages.build],
  soak: [packages.run, packages.build, packages.kernel, packages.demo, packages.test],
};

/** The names of what a part of the project needs, whatever the release. */
export function packagesOf(part) {
  return packages[part].map(({ name }) => name);
}

/** What a verb of tools/bootstrap.mjs needs on a Debian of the given major version. */
export function packagesFor(verb, debianVersion) {
  return needed[verb].flat().filter(({ from }) => from === undefined || debianVersion >= from);
}
