import { LED_PODS } from '../src/supervisor/entrypoints/led.ts';
import { serve } from '../src/supervisor/entrypoints/serve.ts';
import { run } from './run.ts';

serve('stage1-ns', { run, ...LED_PODS });
