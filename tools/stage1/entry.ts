/** What an archive of ours holds: the cpio of the initramfs and the tar of the stage1 image alike. */
export type Entry = { readonly path: string; readonly mode: number } & (
  | { readonly kind: 'directory' }
  | { readonly kind: 'file'; readonly bytes: Uint8Array }
  | { readonly kind: 'symlink'; readonly target: string }
  | { readonly kind: 'character'; readonly major: number; readonly minor: number }
);

export function directory(path: string, mode = 0o755): Entry {
  return { kind: 'directory', path, mode };
}

export function file(path: string, bytes: Uint8Array, mode = 0o644): Entry {
  return { kind: 'file', path, mode, bytes };
}

export function symlink(path: string, target: string): Entry {
  return { kind: 'symlink', path, mode: 0o777, target };
}

export function character(path: string, major: number, minor: number, mode: number): Entry {
  return { kind: 'character', path, mode, major, minor };
}
