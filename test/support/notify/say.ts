/** What an app that speaks sd_notify(3) does, for roots without such a program: `say LINE...` sends one datagram. */
import { argv, environment, exit, utf8Encode } from '../../../src/native/engine.ts';
import { sendNow } from '../../../src/native/messages.ts';
import { connectTo } from '../../../src/native/sockets.ts';

const [, ...lines] = argv();
const socket = connectTo('datagram', { kind: 'path', path: environment('NOTIFY_SOCKET') ?? '' });
exit(sendNow(socket, utf8Encode(lines.join('\n'))) === undefined ? 1 : 0);
