// Package migrate moves one VM from vSphere to files or to libvirt. It is the one place that knows the order:
//
//	pre-flight → shutdown → export (with convert) → manifest → inspect → fix → validate → define → boot → commit → source → start
//
// Every stage is journalled: the same Spec run again goes on where an earlier run stopped, whoever ran it. FIX writes into
// overlays, the boot check into throw-away overlays above them, and only commit merges: until then the converted disks are
// what the export made. The source is only ever read, asked to shut down, and (when the policy says so) started or given
// disconnected adapters; no path alters its disks or deletes it.
//
// Start reading in plan.go, which lists the stages; run.go drives them.
package migrate
