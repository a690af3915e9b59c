import { app } from './app.ts';
import { attach } from './attach.ts';
import { control } from './control.ts';
import { enter } from './enter.ts';
import { gc } from './gc.ts';
import type { Entrypoints } from './serve.ts';
import { stop } from './stop.ts';

/** All but `run`, of a stage1 whose pods are led by our supervisor. */
export const LED_PODS: Entrypoints = {
  enter,
  stop,
  gc,
  control,
  attach,
  'app/add': (args) => app('add', args),
  'app/start': (args) => app('start', args),
  'app/stop': (args) => app('stop', args),
  'app/rm': (args) => app('rm', args),
};
