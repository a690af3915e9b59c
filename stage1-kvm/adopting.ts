/** A spare machine gets the disks of the pod that takes it over, and goes on. */
import type { MachineDisk } from '../src/supervisor/volumes/made-volumes.ts';
import type { Qmp } from './qmp.ts';
import type { RestoringEvents } from './restoring.ts';

/** Sets of open files, as QEMU counts them, beyond those of its command line. */
const FIRST_SET = 100;

/** The disks are in the order of the machine's; one that is written to it has already. QEMU works its orders off one after the other. */
export function adopt(qmp: Qmp, disks: readonly MachineDisk[], { goesOn, failed }: RestoringEvents): void {
  let hasFailed = false;
  const doneWith = (command: string) => (refusal: string | undefined) => {
    if (refusal === undefined || hasFailed) return;
    hasFailed = true;
    failed(`${command}: ${refusal}`);
  };
  const ask = (command: string, given: object, fds: readonly number[] = []) =>
    qmp.ask(command, doneWith(command), given, fds);
  disks.forEach(({ readOnly, fd }, index) => {
    if (!readOnly) return;
    const set = FIRST_SET + index;
    const file = `image${index}`;
    ask('add-fd', { 'fdset-id': set }, [fd]);
    ask('blockdev-add', { driver: 'file', 'node-name': file, filename: `/dev/fdset/${set}`, ...READ_ONLY });
    ask('blockdev-reopen', { options: [{ driver: 'raw', 'node-name': `disk${index}`, file, ...READ_ONLY }] });
  });
  qmp.resume((refusal) => {
    if (hasFailed) return;
    if (refusal === undefined) goesOn();
    else failed(`cont: ${refusal}`);
  });
}

const READ_ONLY = { 'read-only': true, discard: 'unmap' } as const;
