import { utf8Encode } from '../../../src/native/engine.ts';
import { sha512 } from '../../../src/net/sha512.ts';
import { report } from './report.ts';

report(Array.from({ length: 64 }, (_, index) => sha512(utf8Encode(`text ${index}`))));
