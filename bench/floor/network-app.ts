/** What the app of a pod does: the load, for the address that it is given. */
import { argv } from '../../src/native/engine.ts';
import { load } from './network-load.ts';

load(argv()[1] ?? '');
