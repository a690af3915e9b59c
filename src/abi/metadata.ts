/**
 * How pods come to the metadata service (appc 0.8.11, ace.md, "App Container Metadata Service"): where `rkt` registers them, what a
 * pod's directory says of that, and where the apps ask.
 */
import { FieldReader } from './json.ts';

/** Where pods are registered, by root alone. */
export const METADATA_SOCKET = '/run/rkt/metadata-svc.sock';

/** What the service signs with, until the host is started anew. */
export const METADATA_KEY = '/run/rkt/metadata-svc.key';

/** Where apps ask, on all of the host's addresses; as in rkt. */
export const METADATA_PORT = 18112;

/** What pods are registered below: `/pods/UUID`, `/pods/UUID/APP`. */
export const REGISTRATION_PATH = 'pods';

/** What apps get the address of the service in. */
export const METADATA_ENV = 'AC_METADATA_URL';

/**
 * Annotation of a stage1's manifest, `true`: its `run` reads the pod's `metadata.json`. Others are given the token as rkt gives it,
 * as an argument, which every user of the host can read.
 */
export const METADATA_ANNOTATION = 'coreos.com/rkt/stage1/metadata';

/** `metadata.json` of a pod's directory: there as long as the pod may be registered. */
export interface Registration {
  /** Names the pod to the service, and is the apps' only right to ask: nobody else may know it. */
  readonly token: string;
  /** Null until the service has answered. */
  readonly port: number | null;
}

const TOKEN = /^[0-9a-f]{32}$/;
export const TOKEN_BYTES = 16;

export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

export function formatRegistration({ token, port }: Registration): string {
  return `${JSON.stringify({ token, port })}\n`;
}

/** Inverse of `formatRegistration`. @throws AbiError `bad-message`, SyntaxError */
export function parseRegistration(text: string): Registration {
  const registration = new FieldReader(JSON.parse(text), 'metadata.json');
  return {
    token: registration.text('token', 256),
    port: registration.has('port') ? registration.integer('port', 1, 65535) : null,
  };
}

/** What apps put paths of the specification behind: `URL/acMetadata/v1/pod/uuid`. `host` is an address of either family. */
export function metadataUrl(host: string, { token, port }: Registration): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port ?? METADATA_PORT}/${token}`;
}
