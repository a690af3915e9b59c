import { describe, expect, it } from 'vitest';
import { blankApp, parseIsolator } from '../../../../src/appc/index.ts';
import { refuseUnenforced, unenforced, unenforcedLater } from '../../../../src/supervisor/plan/isolators.ts';

const isolator = (name: string, value: unknown) => parseIsolator({ name, value });
const iops = isolator('resource/block-iops', { limit: '10', default: true });
const web = {
  name: 'web',
  app: {
    ...blankApp,
    isolators: [
      isolator('resource/memory', { limit: '1G' }),
      iops,
      isolator('os/linux/cpu-shares', 512),
      isolator('os/unix/sysctl', { 'net.ipv4.ip_forward': '1' }),
      isolator('example.com/own', {}),
    ],
  },
};

describe('unenforced', () => {
  it('names each isolator without effect, whose it is, and why', () => {
    const isolators = [isolator('resource/memory', { limit: '1G' }), isolator('os/linux/cpu-shares', 512)];
    expect(unenforced({ isolators, apps: [web] })).toEqual([
      'pod: isolator os/linux/cpu-shares is not enforced: it is for apps',
      'app web: isolator os/unix/sysctl is not enforced: it is for a pod as a whole',
      'app web: isolator example.com/own is not enforced: it is not known here',
    ]);
  });

  it('is what the pod can only be bounded by as a whole, where another app has no part of it', () => {
    const app = { ...blankApp, isolators: [iops] };
    const free = { name: 'free', app: blankApp };
    const message =
      'isolator resource/block-iops is not enforced: the pod is bounded as a whole, where each of its apps has a limit when it starts';
    expect(unenforced({ isolators: [], apps: [{ name: 'io', app }, free] })).toEqual([`app io: ${message}`]);
    expect(unenforced({ isolators: [iops], apps: [{ name: 'io', app }, free] })).toEqual([]);
    expect(unenforced({ isolators: [], apps: [{ name: 'io', app }] })).toEqual([]);
    expect(unenforcedLater({ name: 'io', app })).toEqual([`app io: ${message}`]);
  });

  it('is refused where that is asked for', () => {
    expect(() => refuseUnenforced(['one', 'two'])).toThrow('one; two');
    expect(() => refuseUnenforced([])).not.toThrow();
  });
});
