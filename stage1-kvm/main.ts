import { LED_PODS } from '../src/supervisor/entrypoints/led.ts';
import { serve } from '../src/supervisor/entrypoints/serve.ts';
import { KvmError } from './error.ts';
import { run } from './run.ts';

serve('stage1-kvm', { run, ...LED_PODS }, [KvmError]);
