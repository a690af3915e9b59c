/** A shell script for an app: prints what a flag of its pod could have changed, one `key=value` a line. */
export const LOOK = `
echo "pwd=$(pwd)"; echo "hostname=$(hostname)"; echo "etc-hostname=$(cat /etc/hostname)"
echo "uid=$(id -u)"; echo "gid=$(id -g)"; echo "groups=$(id -G)"; echo "cpus=$(nproc)"
echo "memory=$(awk '/MemTotal/ { print int($2 / 1024) }' /proc/meminfo)"
touch /tmp/probe 2>/dev/null && echo writable=yes || echo writable=no
echo "args=$*"; env | sed 's/^/env-/'
`;

/** What the script has printed. */
export function parseLook(stdout: string): ReadonlyMap<string, string> {
  return new Map(
    stdout
      .split('\n')
      .map((line): [string, string] => [line.split('=')[0] ?? '', line.slice(line.indexOf('=') + 1)]),
  );
}
