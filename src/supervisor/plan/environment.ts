import type { EnvironmentVariable } from '../../appc/index.ts';
import type { Identity } from './users.ts';

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * What an app finds in its environment unless its image or the command line says otherwise (appc 0.8.11, ace.md; rkt).
 * Where rkt said HOME=/root to everybody, the image's own /etc/passwd is asked.
 */
export function defaultEnvironment(
  app: string,
  { account }: Identity,
  term: string | undefined,
): EnvironmentVariable[] {
  const name = account?.name ?? 'root';
  return [
    { name: 'PATH', value: PATH },
    { name: 'SHELL', value: account?.shell ?? '/bin/sh' },
    { name: 'USER', value: name },
    { name: 'LOGNAME', value: name },
    { name: 'HOME', value: account?.home ?? '/root' },
    { name: 'AC_APP_NAME', value: app },
    { name: 'container', value: 'rkt' },
    ...(term === undefined ? [] : [{ name: 'TERM', value: term }]),
  ];
}
