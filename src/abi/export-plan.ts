/**
 * What `rkt-mount --export PLAN` archives, as JSON: it runs in the directory of a pod that does not, and writes a tar
 * (`tar.ts`) to its standard output. What it leaves out is told on standard error, a line each; one that it fails with is the last.
 */
import { FieldReader } from './json.ts';

export interface ExportPlan {
  readonly root: ExportRoot;
  /** What to archive, a path in the root: links lead no further than to the root itself. */
  readonly path: string;
  /** What the path is called in the archive; empty for the top itself. */
  readonly name: string;
  /** For images: what the format has no word for is left out, and what is larger than an image may be is refused. */
  readonly purpose: 'aci' | 'oci' | 'copy';
}

export type ExportRoot =
  /** An app's root as the overlay of the pod's mount plan that is mounted there; a pod without overlays has a directory. */
  | { readonly kind: 'app'; readonly target: string }
  /** An overlay's upper directory alone, as a layer of an OCI image: removed names and opaque directories are marked. */
  | { readonly kind: 'layer'; readonly upper: string }
  /** A directory of the host. */
  | { readonly kind: 'host'; readonly directory: string };

/** @throws AbiError naming the field */
export function parseExportPlan(value: unknown): ExportPlan {
  const plan = new FieldReader(value, 'export plan');
  return {
    root: parseRoot(plan.object('root')),
    path: plan.text('path'),
    name: plan.text('name'),
    purpose: plan.word('purpose', ['aci', 'oci', 'copy'] as const),
  };
}

function parseRoot(root: FieldReader): ExportRoot {
  const kind = root.word('kind', ['app', 'layer', 'host'] as const);
  switch (kind) {
    case 'app':
      return { kind, target: root.text('target') };
    case 'layer':
      return { kind, upper: root.text('upper') };
    case 'host':
      return { kind, directory: root.text('directory') };
    default:
      return kind satisfies never;
  }
}
