/** A PID 1 that does no more than the load, over the one device that the machine has for it, and powers off. */
import { sleep } from '../../src/native/clock.ts';
import { addAddress } from '../../src/native/netlink/addresses.ts';
import { changeLink, type Link, listLinks } from '../../src/native/netlink/links.ts';
import { Netlink } from '../../src/native/netlink/socket.ts';
import { endMachine, loadModule } from '../../src/native/system.ts';
import { BARE_GUEST, BARE_HOST } from './network-addresses.ts';
import { load } from './network-load.ts';

for (const name of ['failover', 'net_failover', 'virtio_net']) loadModule(`/modules/${name}.ko`);
bringUp();
load(BARE_HOST);
endMachine('power-off');

function bringUp(): void {
  using netlink = new Netlink();
  let link: Link | undefined;
  while (link === undefined) {
    link = listLinks(netlink).find(({ name }) => name !== 'lo');
    if (link === undefined) sleep(1);
  }
  addAddress(netlink, { link: link.index, address: BARE_GUEST, length: 24 });
  changeLink(netlink, link.index, { up: true });
}
