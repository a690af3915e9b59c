import type { IdRange } from '../abi/id-range.ts';
import type { Configuration } from './configuration.ts';
import type { Credentials, Kind, MachineConfig, TemplateSettings } from './entries.ts';
import type { RegistryConfig } from './registry.ts';

/**
 * A configuration as the documents that files would have to say the same, the inverse of `readConfiguration` of one layer; with
 * its secrets. What is set by a name (a domain, a registry) has a document for each, what is not set has none, and absent
 * members are undefined.
 */
export function formatConfiguration(configuration: Configuration) {
  const {
    auth,
    dockerAuth,
    containerAuthFiles,
    registries,
    stage1,
    machine,
    vmIds,
    privateUsers,
    templates,
  } = configuration;
  const { dataDirectory: data, stage1Images } = configuration;
  return [
    ...[...auth].map(([domain, credentials]) => ({
      ...header('auth'),
      domains: [domain],
      ...formatCredentials(credentials),
    })),
    ...[...dockerAuth].map(([registry, { user, password }]) => ({
      ...header('dockerAuth'),
      registries: [registry],
      credentials: { user, password },
    })),
    ...unlessUnset({ files: unlessEmpty(containerAuthFiles) }, 'containerAuth'),
    ...[...registries].map(([registry, config]) => ({
      ...header('registry'),
      registries: [registry],
      ...formatRegistry(config),
    })),
    ...unlessUnset({ data, 'stage1-images': stage1Images }, 'paths'),
    ...unlessUnset({ name: stage1.name, version: stage1.version, location: stage1.location }, 'stage1'),
    ...unlessUnset({ ids: rangeOf(vmIds), ...formatMachine(machine) }, 'vm'),
    ...unlessUnset({ ids: rangeOf(privateUsers) }, 'privateUsers'),
    ...(templates === undefined ? [] : [{ ...header('template'), ...formatTemplates(templates) }]),
  ];
}

function formatMachine({ rootfs, scratchBytes, verity }: MachineConfig) {
  return { rootfs, scratchSize: scratchBytes, verity };
}

function formatTemplates({ scope, tenant, spares, spareSeconds }: TemplateSettings) {
  return { scope, tenant, spares, spareSeconds };
}

function rangeOf(ids: IdRange | undefined) {
  return ids && { first: ids.first, count: ids.count };
}

function header(rktKind: Kind) {
  return { rktVersion: 'v1', rktKind };
}

function unlessUnset<T extends object>(members: T, kind: Kind) {
  const isSet = Object.values(members).some((member) => member !== undefined);
  return isSet ? [{ ...header(kind), ...members }] : [];
}

function unlessEmpty<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length === 0 ? undefined : list;
}

function formatCredentials(credentials: Credentials) {
  const { type } = credentials;
  switch (type) {
    case 'basic':
      return { type, credentials: { user: credentials.user, password: credentials.password } };
    case 'oauth':
      return { type, credentials: { token: credentials.token } };
    case 'aws': {
      const { accessKeyId: accessKeyID, secretAccessKey, region: awsRegion } = credentials;
      return { type, credentials: { accessKeyID, secretAccessKey, awsRegion } };
    }
    default:
      return credentials satisfies never;
  }
}

function formatRegistry({ mirrors, insecure, lookaside, cosignKeys }: RegistryConfig) {
  return {
    mirrors: unlessEmpty(mirrors),
    insecure: unlessEmpty([...insecure]),
    lookaside,
    cosignKeys: unlessEmpty(cosignKeys),
  };
}
