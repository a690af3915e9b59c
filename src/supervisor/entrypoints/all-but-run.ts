import { app } from './app.ts';
import { attach } from './attach.ts';
import { control } from './control.ts';
import { enter } from './enter.ts';
import { gc } from './gc.ts';
import type { Entrypoints } from './serve.ts';
import { stop } from './stop.ts';

/** Of a stage1 whose pods our supervisor leads: only `run` differs. */
export const ALL_BUT_RUN: Entrypoints = {
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
