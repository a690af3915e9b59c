/** What pods ask (appc 0.8.11, ace.md, "App Container Metadata Service"): `/TOKEN/acMetadata/v1/...`, with rkt's answers. Pure. */
import { type Annotation, annotationValue, parsePodUUID, type RuntimeApp } from '../src/appc/index.ts';
import { utf8Decode, utf8Encode } from '../src/native/engine.ts';
import { parseForm, unescapePath } from './http/form.ts';
import type { HttpRequest } from './http/request.ts';
import { failure, type HttpResponse, json, notAllowed, text } from './http/response.ts';
import type { Pods, RegisteredPod } from './pods.ts';
import type { Signer } from './signing.ts';

const API = 'acMetadata/v1';

export class MetadataApi {
  constructor(
    private readonly pods: Pods,
    private readonly signer: Signer,
  ) {}

  answer(request: HttpRequest): HttpResponse {
    const [, token = '', rest = ''] = /^\/([^/]*)\/?(.*)$/.exec(request.path) ?? [];
    const pod = this.pods.withToken(token);
    if (pod === undefined) return failure(401, 'unrecognized token');
    const [, path] = /^acMetadata\/v1\/(.*)$/.exec(rest) ?? [];
    if (path === undefined) return failure(404, `there is nothing but ${API}`);
    if (path === 'pod/hmac/sign') return posted(request, (form) => this.#sign(pod, form));
    if (path === 'pod/hmac/verify') return posted(request, (form) => this.#verify(form));
    if (request.method !== 'GET' && request.method !== 'HEAD') return notAllowed(['GET', 'HEAD']);
    return answerQuestion(pod, path);
  }

  #sign({ uuid }: RegisteredPod, form: Form): HttpResponse {
    const content = form.get('content');
    if (content === undefined) return failure(400, 'content field missing');
    return text(this.signer.sign(uuid, content));
  }

  /** Any pod may ask that of any other. */
  #verify(form: Form): HttpResponse {
    const [uuid, content, signature] = ['uuid', 'content', 'signature'].map((name) => form.get(name));
    const pod = uuid && parsed(() => parsePodUUID(utf8Decode(uuid)));
    if (pod === undefined) return failure(400, 'uuid field missing or malformed');
    if (content === undefined) return failure(400, 'content field missing');
    const isRight = signature && this.signer.verify(pod, content, utf8Decode(signature));
    if (isRight === undefined) return failure(400, 'signature field missing or corrupt');
    return isRight ? text('') : failure(403, 'that pod has not signed this');
  }
}

type Form = ReadonlyMap<string, Uint8Array>;

function posted(request: HttpRequest, answer: (form: Form) => HttpResponse): HttpResponse {
  if (request.method !== 'POST') return notAllowed(['POST']);
  // What is in the body counts before what is in the address.
  return answer(new Map([...parseForm(utf8Encode(request.query)), ...parseForm(request.body)]));
}

function parsed<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch {
    return undefined;
  }
}

function answerQuestion(pod: RegisteredPod, path: string): HttpResponse {
  const { text: manifest, value } = pod.manifest;
  if (path === 'pod/uuid') return text(pod.uuid);
  if (path === 'pod/manifest') return json(manifest);
  const [, annotation] = /^pod\/annotations\/?(.*)$/.exec(path) ?? [];
  if (annotation !== undefined) return answerAnnotations('pod', value.annotations, annotation);
  const [, name, what] = /^apps\/([^/]*)\/(.*)$/.exec(path) ?? [];
  if (name === undefined || what === undefined) return failure(404, 'there is nothing of that name');
  return answerOfApp(pod, unescapePath(name), what);
}

function answerOfApp({ manifest, images }: RegisteredPod, name: string, path: string): HttpResponse {
  const app = manifest.value.apps.find((one) => one.name === name);
  const image = images.get(name);
  if (app === undefined || image === undefined) return failure(404, `app (${name}) not found`);
  if (path === 'image/id') return text(app.image.id);
  if (path === 'image/manifest') return json(image.text);
  const [, annotation] = /^annotations\/?(.*)$/.exec(path) ?? [];
  if (annotation === undefined) return failure(404, 'there is nothing of that name');
  return answerAnnotations('app', merged(image.value.annotations, app), annotation);
}

/** What the pod says of the app stands in the place of what the image says. */
function merged(ofImage: readonly Annotation[], { annotations }: RuntimeApp): Annotation[] {
  const byName = new Map([...ofImage, ...annotations].map((annotation) => [annotation.name, annotation]));
  return [...byName.values()];
}

/** All, or the one of that name. */
function answerAnnotations(
  whose: 'pod' | 'app',
  annotations: readonly Annotation[],
  name: string,
): HttpResponse {
  if (name === '') return json(JSON.stringify(annotations));
  const value = annotationValue(annotations, unescapePath(name));
  return value === undefined ? failure(404, `${whose} annotation (${name}) not found`) : text(value);
}
