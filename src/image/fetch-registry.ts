import type { ImageRecord } from '../store/index.ts';
import type { FetchContext, PullPolicy } from './context.ts';
import { isDamage } from './damage.ts';
import { findOciImage, importOci } from './oci.ts';
import { verifyOci } from './oci-verification.ts';
import type { ImportOptions } from './options.ts';
import { hostPlatform } from './platform.ts';
import type { RegistryReference } from './registry/reference.ts';
import { openRegistry, type RegistrySource } from './registry/registry.ts';
import { type Remembered, remembered, takesStored } from './remembered.ts';
import { lockName } from './spool.ts';
import { useStored } from './store-image.ts';

export interface RegistryRequest {
  /** What the user wrote. */
  readonly source: string;
  readonly key: string;
  readonly reference: RegistryReference;
  readonly pullPolicy: PullPolicy;
}

/** An image from a registry. @throws ImageError, OciError, TrustError */
export async function fetchFromRegistry(
  context: FetchContext,
  request: RegistryRequest,
  options: ImportOptions,
): Promise<ImageRecord> {
  const { store, insecure } = context;
  const known = await remembered(store, request.key, options);
  if (takesStored(request.pullPolicy, known !== undefined, request.source) && known !== undefined)
    return useStored(store, known.image, request.source, options);
  const registry = await connect(context, request.reference, options);
  const mayKeep = known !== undefined && (known.note.isVerified || insecure.has('image'));
  if (mayKeep && (await isCurrent(registry, known, options)))
    return useStored(store, known.image, request.source, options);
  return download(context, registry, request, options);
}

async function connect(
  { network }: FetchContext,
  { registry, repository, ...named }: RegistryReference,
  { report, signal }: ImportOptions,
): Promise<RegistrySource> {
  const config = network.registry(registry);
  const mirrors = config?.mirrors ?? [];
  const also = {
    tls: config?.insecure.has('tls') ?? false,
    http: config?.insecure.has('http') ?? false,
  };
  const logins = new Map(
    await Promise.all(
      [registry, ...mirrors].map(
        async (host) => [host, await network.login(host, repository, signal)] as const,
      ),
    ),
  );
  return openRegistry(
    { registry, repository, ...named },
    {
      client: network.client(also),
      credentials: (host) => logins.get(host),
      mirrors,
      insecureHttp: network.leniency.http || also.http,
      signal,
      report,
    },
  );
}

/** Whether the name still leads to what it led to, as far as the registry says it without sending it. */
async function isCurrent(
  registry: RegistrySource,
  { note }: Remembered,
  { signal }: ImportOptions,
): Promise<boolean> {
  const head = note.digest === undefined ? undefined : await registry.head(signal);
  return head !== undefined && head.digest === note.digest;
}

/** Everything is checked wherever it comes from: a mirror that sends something else costs time, and its registry is asked. */
async function download(
  context: FetchContext,
  registry: RegistrySource,
  request: RegistryRequest,
  options: ImportOptions,
): Promise<ImageRecord> {
  try {
    return await downloadOnce(context, registry, request, options);
  } catch (error) {
    if (!isDamage(error) || !registry.leaveMirrors(error)) throw error;
    return download(context, registry, request, options);
  }
}

async function downloadOnce(
  context: FetchContext,
  registry: RegistrySource,
  { source, key, reference }: RegistryRequest,
  options: ImportOptions,
): Promise<ImageRecord> {
  const { store, insecure } = context;
  options.report?.({ kind: 'image-resolve', source });
  const found = await findOciImage(registry, options.platform ?? hostPlatform(), options.signal);
  const isVerified = !insecure.has('image');
  if (isVerified) await verifyOci(context, { reference, registry, found }, options);
  const { registry: host, repository, tag } = reference;
  const naming = {
    name: `${host}/${repository}`,
    ...(tag === undefined ? {} : { tag }),
    originalName: source,
    registry: host,
    repository,
  };
  const image = await importOci(store, registry, found, naming, options);
  using _lock = await store.locks.exclusive(lockName(key), options.signal);
  store.remotes.note(key, { id: image.id, isVerified, fetchedAt: Date.now(), digest: found.rootDigest });
  return image;
}
