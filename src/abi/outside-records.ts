/** Whether something of a pod that has ended may be left outside of its directory. */

/**
 * Annotation of a stage1's manifest, `true`: all that its `gc` takes away is recorded in the pod's directory before it is made and
 * until it has gone: directories in `cgroups`, all else in `net/*.json`. Of a pod that has neither a directory that is still there nor
 * such a file, its `gc` would find nothing, and is not started.
 */
export const RECORDS_ANNOTATION = 'coreos.com/rkt/stage1/records';
