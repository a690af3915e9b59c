/** Whether the networks of a running pod are as their plugins have left them: these are asked, beside the pod's supervisor. */
import type { NetworkCheck } from '../../abi/control.ts';
import { POD } from '../../abi/pod-directory.ts';
import { readText } from '../../native/contents.ts';
import { unless } from '../../native/errors.ts';
import { File, open_ } from '../../native/files.ts';
import { stat } from '../../native/stat.ts';
import type { AttachmentRecord } from '../../net/attachment-record.ts';
import { SupervisorError } from '../error.ts';
import { Attachment } from './attachment.ts';
import { HostSide } from './host-side.ts';
import { readRecords } from './records.ts';

/** In the order of the interfaces. The current directory is the pod's. @throws SupervisorError `no-supervisor` */
export function checkNetworks(uuid: string): NetworkCheck[] {
  const host = HostSide.own();
  return readRecords().map(({ record }) => {
    const netns = `/proc/${readText(POD.pid).trim()}/ns/net`;
    refuseStranger(netns, record);
    // Open, but not locked: the supervisor has the lock.
    using lock = File.open(POD.networkLock, open_.readOnly);
    return check(new Attachment({ host, containerId: uuid, netns, lock: lock.fd }, record), record.list.name);
  });
}

/** The process may have ended, and its number be another's. What is asked for changes nothing there. */
function refuseStranger(netns: string, { netnsInode }: AttachmentRecord): void {
  const found = unless(['ENOENT', 'ESRCH'], () => stat(netns));
  if (String(found?.inode) !== netnsInode) throw new SupervisorError('no-supervisor', 'the pod has ended');
}

function check(attachment: Attachment, network: string): NetworkCheck {
  try {
    return { network, verdict: attachment.check() ? 'ok' : 'unknown', problem: '' };
  } catch (error) {
    if (!(error instanceof SupervisorError)) throw error;
    return { network, verdict: 'failed', problem: error.message };
  }
}
