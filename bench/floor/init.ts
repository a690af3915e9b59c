/** The least that a PID 1 can do: print as its first act, and power off. It stands where a pod's PID 1 would. */
import { utf8Encode } from '../../src/native/engine.ts';
import { attempt } from '../../src/native/syscall.ts';
import { endMachine } from '../../src/native/system.ts';

const STDOUT = 1;
const text = utf8Encode('up\n');
attempt('write', STDOUT, text, text.length);
endMachine('power-off');
