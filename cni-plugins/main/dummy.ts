/** `dummy`: an interface that leads nowhere, with addresses. */
import { makeLink } from '../interface.ts';
import { differs } from '../interface-check.ts';
import { linkPlugin } from '../link-plugin.ts';
import { arrangeOrDelete } from '../parent.ts';

export const dummy = linkPlugin({
  about: 'CNI dummy plugin: an interface that leads nowhere',
  mayLackIpam: false,

  parse() {
    // It has no options.
  },

  connect(container, { ifName }, take) {
    makeLink(container.netlink, { kind: 'dummy', name: ifName });
    return arrangeOrDelete(container, ifName, take);
  },

  check(_container, _request, { link }) {
    if (link.kind !== 'dummy') throw differs(`interface ${link.name} is no dummy`);
  },
});
