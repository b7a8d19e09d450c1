// Package journal is what a resume reads: one JSON record of a job beside its artifacts.
//
// The record is written atomically (temporary file, fsync, rename, fsync of the directory) and owned by one process at a
// time: an flock that dies with the process, and an owner with a heartbeat for file systems where flock does not reach.
// The package knows no stage and no disk: the pipeline keeps its stages in it, the export its files, each as a named
// section.
package journal
