import { describe } from 'vitest';
import { testConfinement } from '../support/confinement-tests.ts';
import { VARIANTS } from '../support/flavours.ts';
import { useRkt } from '../support/rkt.ts';

// One table for all flavours.

const rkt = useRkt();

describe.each(VARIANTS)('$name', (variant) => testConfinement(rkt, variant));
