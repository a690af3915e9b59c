import { expect, it } from 'vitest';
import { decodeBase64 } from '../../../../src/abi/base64.ts';
import { appFilter } from '../../../../src/supervisor/seccomp/app-filter.ts';
import { compileFilter } from '../../../../src/supervisor/seccomp/program.ts';
import { DEFAULT_ISOLATOR, policyOfSet } from '../../../../src/supervisor/seccomp/sets.ts';

const around = { capabilities: [], kernel: '6.1.0-18-amd64' };

it.each(['x86-64', 'arm64'] as const)('an app that says nothing has the default of %s', (architecture) => {
  const policy = policyOfSet(DEFAULT_ISOLATOR, architecture);
  if (policy === null) throw new Error('no policy');
  const filter = decodeBase64(appFilter([], { ...around, architecture }) ?? '');
  expect(Buffer.from(filter)).toEqual(Buffer.from(compileFilter(policy)));
});
