/**
 * `metadata-service --listen-port=PORT --dir=DATA [--debug]`: tells pods who they are, and signs for them. `rkt metadata-service`
 * becomes this program. One thread: whoever asks is answered at once, from memory.
 */
import { EXIT } from '../src/abi/exit-code.ts';
import { Arguments } from '../src/abi/stage1-flags.ts';
import { argv, exit, utf8Encode } from '../src/native/engine.ts';
import { writeAll } from '../src/native/files.ts';
import { boundPort, peerAddress } from '../src/native/inet-sockets.ts';
import { Loop } from '../src/native/loop.ts';
import { peerCredentials } from '../src/native/sockets.ts';
import { readKey } from './key.ts';
import { Listener } from './listener.ts';
import { MetadataApi } from './metadata-api.ts';
import { Pods } from './pods.ts';
import { RegistrationApi } from './registration-api.ts';
import { recallPods } from './running-pods.ts';
import { Signer } from './signing.ts';
import { openSockets } from './sockets.ts';

const STDERR = 2;
const ROOT = 0;
/** What a pod has signed is hashed by an interpreter: no pod may keep others waiting by much. */
const PUBLIC_LIMITS = { headBytes: 16 * 1024, bodyBytes: 16 * 1024 };
const REGISTRATION_LIMITS = { headBytes: 16 * 1024, bodyBytes: 16 * 1024 * 1024 };

function main(): number {
  const given = new Arguments(argv().slice(1), { 'listen-port': 'value', dir: 'value', debug: 'boolean' });
  const debug = (line: string) => {
    if (given.isSet('debug')) say(line);
  };
  using loop = new Loop();
  using sockets = openSockets(Number(given.value('listen-port')));
  const pods = new Pods();
  recallPods(pods, given.value('dir') ?? '', say);
  const [first = -1] = sockets.metadata;
  const registrationApi = new RegistrationApi(pods, boundPort(first), debug);
  const metadataApi = new MetadataApi(pods, new Signer(readKey()));
  for (const fd of sockets.registration)
    new Listener(loop, fd, {
      limits: REGISTRATION_LIMITS,
      // The mode of the socket says the same; this holds should somebody change it.
      callerOf: (caller) => (peerCredentials(caller).uid === ROOT ? 'root' : undefined),
      answer: (request) => registrationApi.answer(request),
    });
  for (const fd of sockets.metadata)
    new Listener(loop, fd, {
      limits: PUBLIC_LIMITS,
      callerOf: peerAddress,
      answer: (request) => metadataApi.answer(request),
    });
  loop.onSignals(['SIGTERM', 'SIGINT'], () => loop.stop());
  debug(`answers at port ${boundPort(first)}, for ${pods.size} pods that run`);
  return loop.run();
}

function say(line: string): void {
  writeAll(STDERR, utf8Encode(`metadata-service: ${line}\n`));
}

try {
  exit(main());
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  exit(EXIT.failure);
}
