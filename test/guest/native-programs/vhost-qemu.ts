import { argv, exit } from '../../../src/native/engine.ts';
import { open, open_ } from '../../../src/native/files.ts';
import { waitFor } from '../../../src/native/processes.ts';
import { spawn } from '../../../src/native/spawn.ts';
import { openTap } from '../../../src/native/taps.ts';
import { interfaceArguments } from '../../../stage1-kvm/interface-arguments.ts';
import { codeOf } from './report.ts';

// `vhost-qemu ROOT QUEUES`: a QEMU of that root with one network device, as the supervisor of a pod would start it where the kernel has
// vhost-net; without a machine's start. Talks QMP on its standard streams.
const [, root = '/', queues = '1'] = argv();
const STANDARD = [0, 1, 2];
const ID = 4000;
const count = Number(queues);
const taps = openTap('rkt-tap0', count);
const vhosts = Array.from({ length: count }, () => open('/dev/vhost-net', open_.readWrite));
const eth0 = { mac: '02:00:00:00:00:01', mtu: 1400, taps, vhosts };
const pid = spawn({
  path: '/usr/bin/qemu-system-x86_64',
  argv: [
    ...['qemu', '-nodefaults', '-no-user-config', '-display', 'none', '-S', '-qmp', 'stdio'],
    ...['-machine', 'microvm,pcie=on,memory-backend=ram', '-accel', 'tcg', '-cpu', 'max', '-m', '64M'],
    ...['-object', 'memory-backend-memfd,id=ram,size=64M,share=on', '-bios', '/usr/share/qemu/qboot.rom'],
    ...interfaceArguments([eth0], STANDARD.length, 'tcg'),
    ...['-sandbox', 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny'],
  ],
  env: ['PATH=/usr/bin'],
  fds: [...STANDARD, ...taps, ...vhosts],
  steps: [
    { do: 'chroot', path: root },
    { do: 'groups', gids: [] },
    { do: 'gid', gid: ID },
    { do: 'uid', uid: ID },
    { do: 'no-new-privileges' },
  ],
});
exit(codeOf(waitFor(pid).exit));
