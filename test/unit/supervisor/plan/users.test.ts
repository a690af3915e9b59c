import { describe, expect, it } from 'vitest';
import { resolveIdentity, type UserDatabase } from '../../../../src/supervisor/plan/users.ts';

const database: UserDatabase = {
  passwd:
    'root:x:0:0:root:/root:/bin/bash\n# comment\nbroken\nweb:x:33:34:www:/srv:/bin/false\nminus:x:-1:0::/:\n',
  group: 'root:x:0:\nstaff:x:50:web\nbad:x:x:\n',
  owner: (path) => (path === '/srv/data' ? { uid: 7, gid: 8 } : undefined),
};

describe('resolveIdentity', () => {
  it.each([
    ['0', '0', 0, 0, '/root'],
    ['1234', '5678', 1234, 5678, undefined],
    ['web', 'staff', 33, 50, '/srv'],
    ['web', 'web', 33, 34, '/srv'],
    ['33', '33', 33, 33, '/srv'],
    ['/srv/data', '/srv/data', 7, 8, undefined],
  ])('user %s, group %s', (user, group, uid, gid, home) => {
    const identity = resolveIdentity({ user, group }, database);
    expect([identity.uid, identity.gid, identity.account?.home]).toEqual([uid, gid, home]);
  });

  it.each([
    ['nobody', '0', `user "nobody": it is not in the image's /etc/passwd`],
    ['0', 'wheel', `group "wheel": it is not in the image's /etc/group`],
    ['/gone', '0', 'user "/gone": there is no such file in the image'],
    ['minus', '0', `user "minus": it is not in the image's /etc/passwd`],
    ['4294967295', '0', `user "4294967295": it is not in the image's /etc/passwd`],
    ['-1', '0', `user "-1": it is not in the image's /etc/passwd`],
    ['0', 'bad', `group "bad": it is not in the image's /etc/group`],
  ])('refuses user %s, group %s', (user, group, message) => {
    expect(() => resolveIdentity({ user, group }, database)).toThrow(message);
  });
});
