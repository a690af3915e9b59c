import { gc } from '../src/supervisor/entrypoints/gc.ts';
import { serve } from '../src/supervisor/entrypoints/serve.ts';
import { enter } from './enter.ts';
import { run } from './run.ts';
import { stop } from './stop.ts';

serve('stage1-fly', { run, enter, stop, gc });
