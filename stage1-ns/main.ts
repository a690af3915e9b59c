import { app } from '../src/supervisor/entrypoints/app.ts';
import { attach } from '../src/supervisor/entrypoints/attach.ts';
import { control } from '../src/supervisor/entrypoints/control.ts';
import { enter } from '../src/supervisor/entrypoints/enter.ts';
import { gc } from '../src/supervisor/entrypoints/gc.ts';
import { serve } from '../src/supervisor/entrypoints/serve.ts';
import { stop } from '../src/supervisor/entrypoints/stop.ts';
import { run } from './run.ts';

serve('stage1-ns', {
  run,
  enter,
  stop,
  gc,
  control,
  attach,
  'app/add': (args) => app('add', args),
  'app/start': (args) => app('start', args),
  'app/stop': (args) => app('stop', args),
  'app/rm': (args) => app('rm', args),
});
