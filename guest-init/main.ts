/**
 * PID 1 of a pod: it knows no appc and decides nothing; it executes the plan that it is sent and reports
 * (`src/abi/guest.ts`). One program for both flavours: in a machine of its own, or in namespaces with its channels
 * open (`--channel-fds`).
 */
import { PROTOCOL_VERSION } from '../src/abi/guest.ts';
import { uptimeMilliseconds } from '../src/native/clock.ts';
import { argv } from '../src/native/engine.ts';
import { Loop } from '../src/native/loop.ts';
import { getpid } from '../src/native/processes.ts';
import { kernelRelease } from '../src/native/system.ts';
import { AppGroups } from './app-groups.ts';
import { during, InitError } from './error.ts';
import { type Ground, namespaces } from './ground.ts';
import { HostChannel } from './host-channel.ts';
import { die } from './last-words.ts';
import { machine } from './machine.ts';
import { Pod } from './pod.ts';
import { prepareAnyPod } from './preparation.ts';
import { awaken, findDevices, rehearse } from './saved-machine.ts';

const start = uptimeMilliseconds();
// PID 1 ends a pod by killing everybody but itself: anywhere else that is a host.
if (getpid() !== 1) throw new InitError('root', 'this program is for PID 1 of a pod only');
serve(argv()[1] === '--channel-fds' ? namespaces : machine);

function serve(ground: Ground): void {
  let born = ground.ownKernel ? 0 : start;
  const age = () => uptimeMilliseconds() - born;
  const channels = ground.open();
  const loop = new Loop();
  const leave = () => {
    // Somebody may be there to hear it.
    if (ground.settle()) host.send({ type: 'settled' });
    ground.leave(0);
  };
  const host = new HostChannel(loop, channels.control, {
    message: (message) => {
      switch (message.type) {
        case 'rehearse':
          rehearse(message, groups);
          host.send({ type: 'rehearsed' });
          return;
        case 'wake':
          // The pod begins here, whenever its kernel did.
          born = uptimeMilliseconds();
          awaken(message);
          greet(0);
          // While the host makes the plan.
          if (message.hasMore) findDevices();
          return;
        case 'renew':
          pod.renew();
          host.send({ type: 'renewed' });
          return;
        default:
          pod.receive(message);
      }
    },
    lost: leave,
  });
  const greet = (initMs: number) =>
    host.send({
      type: 'hello',
      version: PROTOCOL_VERSION,
      kernel: kernelRelease(),
      initMs,
      helloMs: age(),
    });
  greet(start - born);
  // The host needs a moment to answer: what needs no plan is done meanwhile.
  const groups = new AppGroups(loop);
  const pod = new Pod({ loop, host, channels, groups, age, leave });
  loop.onChildren((child) => pod.reaped(child));
  try {
    prepareAnyPod();
    during('groups', () => groups.open(ground.groups()));
    loop.run();
  } catch (error) {
    die(error, host, loop);
  } finally {
    ground.settle();
    ground.leave(1);
  }
}
