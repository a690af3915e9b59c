/** As a pod's PID 1 finds its ports, and then writes as fast as the data port takes it. What it writes is the same each time. */

import { machine } from '../../guest-init/machine.ts';
import { setNonBlocking } from '../../src/native/descriptors.ts';
import { read, writeAll } from '../../src/native/files.ts';
import { DATA_BYTES, WRITE_BYTES } from './port-load.ts';

const { control, data } = machine.open();
setNonBlocking(data, false);
const bytes = new Uint8Array(WRITE_BYTES);
for (let left = DATA_BYTES; left > 0; left -= bytes.length) writeAll(data, bytes);
// Until the host, which has all by then, ends the machine: what is written last is still on its way.
setNonBlocking(control, false);
read(control, bytes);
