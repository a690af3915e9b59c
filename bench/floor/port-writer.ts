/** As a pod's PID 1 finds its ports, and then writes as fast as the data port takes it. What it writes is the same each time. */

import { machine } from '../../guest-init/machine.ts';
import { setNonBlocking } from '../../src/native/descriptors.ts';
import { close, writeAll } from '../../src/native/files.ts';
import { endMachine } from '../../src/native/system.ts';
import { DATA_BYTES, WRITE_BYTES } from './port-load.ts';

const { data } = machine.open();
setNonBlocking(data, false);
const bytes = new Uint8Array(WRITE_BYTES);
for (let left = DATA_BYTES; left > 0; left -= bytes.length) writeAll(data, bytes);
close(data);
endMachine('power-off');
