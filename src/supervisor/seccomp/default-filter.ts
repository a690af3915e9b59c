/** The filter of an app that says nothing of system calls, as most do. */
import { encodeBase64 } from '../plan/base64.ts';
import { OWN_ARCHITECTURE } from './architectures.ts';
import { compileFilter } from './program.ts';
import { DEFAULT_ISOLATOR, policyOfSet } from './sets.ts';

const policy = policyOfSet(DEFAULT_ISOLATOR, OWN_ARCHITECTURE);

/**
 * Base64, as `appFilter` gives it. A program that is compiled has this text alone (`tools/compile.ts`): to make it takes the program twice
 * as long as its start.
 */
export const DEFAULT_FILTER = policy && encodeBase64(compileFilter(policy));
