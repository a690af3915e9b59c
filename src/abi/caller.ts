/** Of the environment of a stage1's `enter`: what that calls itself, the last word of the command that was given (`enter`, `exec`). */
export const CALLER_ENV = 'RKT_CALLER';
