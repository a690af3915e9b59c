import { ALL_BUT_RUN } from '../src/supervisor/entrypoints/all-but-run.ts';
import { serve } from '../src/supervisor/entrypoints/serve.ts';
import { run } from './run.ts';

serve('stage1-ns', { run, ...ALL_BUT_RUN });
