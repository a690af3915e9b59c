import { ALL_BUT_RUN } from '../src/supervisor/entrypoints/all-but-run.ts';
import { serve } from '../src/supervisor/entrypoints/serve.ts';
import { changes } from './changes.ts';
import { KvmError } from './error.ts';
import { rehearsal } from './rehearsal.ts';
import { run } from './run.ts';
import { spare } from './spare.ts';
import { template } from './template.ts';

serve('stage1-kvm', { run, changes, template, spare, rehearsal, ...ALL_BUT_RUN }, [KvmError]);
