import { describe, expect, it } from 'vitest';
import { checkEdge, PHASES, stateOf } from '../../../src/pod/state.ts';

describe('the life of a pod', () => {
  it('has the states of rkt', () => {
    expect(PHASES.map((phase) => [phase, stateOf(phase, true), stateOf(phase, false)])).toEqual([
      ['embryo', 'embryo', 'embryo'],
      ['prepare', 'preparing', 'aborted prepare'],
      ['prepared', 'prepared', 'prepared'],
      ['run', 'running', 'exited'],
      ['exited-garbage', 'exited deleting', 'exited garbage'],
      ['garbage', 'deleting', 'garbage'],
    ]);
  });

  it('leads forward only, and nowhere from garbage', () => {
    const edges = PHASES.flatMap((from) =>
      PHASES.filter((to) => {
        try {
          checkEdge(from, to);
          return true;
        } catch {
          return false;
        }
      }).map((to) => `${from} > ${to}`),
    );
    expect(edges).toEqual([
      'embryo > prepare',
      'embryo > garbage',
      'prepare > prepared',
      'prepare > run',
      'prepare > garbage',
      'prepared > run',
      'prepared > garbage',
      'run > exited-garbage',
    ]);
    expect(() => checkEdge('run', 'prepared')).toThrow('a pod does not move from run to prepared');
  });
});
