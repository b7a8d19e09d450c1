// Package queue keeps jobs and runs them: durable records, workers with leases, schedules, logs and a stream of changes, on
// NATS JetStream, embedded or a cluster. It runs a func and knows no migration.
//
// # Where the truth is
//
// One stream, laid out as a NATS key-value bucket, holds a record for each job, schedule, worker, key and limit. Every change of
// state is one atomic batch of compare-and-set writes (change in change.go): a job starts together with its place in the
// limits, ends together with giving up its key, and a schedule moves on together with the job that it fires. Two nodes
// that want the same thing read the same revision, and the store takes one of them.
//
// # What is promised
//
//   - Submitted is kept: Submit returns when the record is on disk, synced. A live job of the same kind and key is returned, not
//     doubled.
//   - Never twice at once: a worker holds a lease, a part of the job's record. It renews it every third of the ack-wait. When it
//     could not for two thirds, counted from before its last write that was taken, it ends the handler's context, and at nine
//     tenths it calls WorkerSpec.Abort. Another node takes the job when it saw no renewal for a whole ack-wait by its own monotonic clock;
//     clocks of machines are never compared, only their rates are trusted.
//   - Fenced: a process that was frozen past its lease and wakes up can write nothing: its record, its log and its end are all
//     compare-and-set. Effects elsewhere carry Task.Fence, which grows with every execution of a job, or follow a Task.Check.
//   - Nothing is lost: after kill -9 of a worker, of the daemon or of both, or a power failure, the job goes on an ack-wait later,
//     as another execution of the same record. After Options.MaxDeliveries silent workers in a row it fails and says so.
//   - A worker that is stopped hands its jobs back at once.
//
// The handler must resume: an execution begins with what the one before left on disk.
//
// Start reading in queue.go, then change.go; worker.go and task.go are the worker's side.
package queue
