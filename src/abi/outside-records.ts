/** Whether something of a pod that has ended may be left outside of its directory. */

/**
 * Annotation of a stage1's manifest, `true`: all that its `gc` takes away is recorded in the pod's directory, in `cgroups` and
 * `net/*.json`, before it is made and until it has gone. Of a pod that has neither, its `gc` would find nothing, and is not started.
 */
export const RECORDS_ANNOTATION = 'coreos.com/rkt/stage1/records';
