import { describe, expect, it } from 'vitest';
import { SECRETS_MAX_BYTES, type SecretVolumePlan } from '../../../../src/abi/further-volumes.ts';
import { MadeVolumes } from '../../../../src/supervisor/volumes/made-volumes.ts';

const secret = (key: string): SecretVolumePlan => ({
  ...{ kind: 'secret', key, readOnly: true, origin: { from: 'environment', name: 'A' } },
  ...{ mode: 0o400, uid: null, gid: null },
});
const ofBytes = (count: number) => Buffer.alloc(count, 'x').toString('base64');

function bring(volumes: MadeVolumes, key: string, bytes: number): void {
  volumes.takeLate(secret(key), new Map([[key, ofBytes(bytes)]]));
}

describe('secrets of apps that come to a pod', () => {
  it('have as much together as those of a pod that starts', () => {
    const volumes = new MadeVolumes();
    bring(volumes, 'a.v', SECRETS_MAX_BYTES - 10);
    bring(volumes, 'b.v', 10);
    expect(() => bring(volumes, 'c.v', 1)).toThrow(
      `volume c.v: secrets of the pod's apps would have ${SECRETS_MAX_BYTES + 1} bytes together: ${SECRETS_MAX_BYTES} at most`,
    );
    expect(volumes.pathOf('c.v', 'c')).toBeUndefined();
  });

  it('count no more when their app has gone', () => {
    const volumes = new MadeVolumes();
    bring(volumes, 'a.v', SECRETS_MAX_BYTES);
    volumes.drop('a.v');
    bring(volumes, 'b.v', SECRETS_MAX_BYTES);
    expect(volumes.pathOf('b.v', 'b')).toContain('b.v@b');
  });
});
