/** Whether something of a pod that has ended may be left outside of its directory. */

/**
 * Annotation of a stage1's manifest, `true`: all that its `gc` takes away is recorded in the pod's directory before it is made and
 * until it has gone: control groups in `cgroups`, bounds of volumes by the directories of `limitedVolumes`, all else in `net/*.json`.
 * Of a pod that has neither a group that is still there nor such a directory or file, its `gc` would find nothing, and is not started.
 */
export const RECORDS_ANNOTATION = 'coreos.com/rkt/stage1/records';
