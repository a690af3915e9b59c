/** What `rkt` tells of pods, over a socket that root alone may use: `PUT /pods/UUID?token=TOKEN`, `PUT /pods/UUID/APP`, `DELETE /pods/UUID`. Pure. */
import { REGISTRATION_PATH } from '../src/abi/metadata.ts';
import { AppcError, parseACName, parsePodUUID } from '../src/appc/index.ts';
import { utf8Decode, utf8Encode } from '../src/native/engine.ts';
import { parseForm } from './http/form.ts';
import type { HttpRequest } from './http/request.ts';
import { failure, type HttpResponse, json, notAllowed } from './http/response.ts';
import type { Pods } from './pods.ts';

export class RegistrationApi {
  constructor(
    private readonly pods: Pods,
    /** Where apps reach the service: whoever registers a pod is told. */
    private readonly port: number,
    private readonly report: (line: string) => void,
  ) {}

  answer(request: HttpRequest): HttpResponse {
    const [, folder, uuid = '', app, ...more] = request.path.split('/');
    if (folder !== REGISTRATION_PATH || more.length > 0) return failure(404, 'there is nothing of that name');
    try {
      return this.#change(request, uuid, app);
    } catch (error) {
      if (!(error instanceof AppcError || error instanceof TypeError)) throw error;
      return failure(400, error.message);
    }
  }

  #change({ method, query, body }: HttpRequest, word: string, app: string | undefined): HttpResponse {
    const uuid = parsePodUUID(word);
    if (method === 'DELETE' && app === undefined) {
      if (!this.pods.remove(uuid)) return failure(404, `pod ${uuid} is not registered`);
      this.report(`pod ${uuid} is not registered any more`);
      return json('{}');
    }
    if (method !== 'PUT') return notAllowed(app === undefined ? ['PUT', 'DELETE'] : ['PUT']);
    if (app !== undefined) {
      const isKnown = this.pods.registerImage(uuid, parseACName(app), utf8Decode(body));
      return isKnown ? json('{}') : failure(404, `pod ${uuid} has no app ${app}`);
    }
    const token = parseForm(utf8Encode(query)).get('token') ?? new Uint8Array(0);
    this.pods.register(uuid, utf8Decode(token), utf8Decode(body));
    this.report(`pod ${uuid} is registered`);
    return json(JSON.stringify({ port: this.port }));
  }
}
