/** What the pod's control groups are called, each followed by the pod's UUID. */
export const POD_GROUP = 'rkt-';
/** Of v2: where the supervisor goes. Of each pod its own: `gc` kills what it finds in a dead pod's. */
export const SUPERVISOR_GROUP = 'rkt-supervisor-';
