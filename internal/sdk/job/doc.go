// Package job says what a job is: types only, shared by the queue that keeps jobs, the API that shows them and the client
// that reads them. It runs nothing and stores nothing.
//
// # States
//
//	          ┌──────────────── handed back, worker lost, retry ───────────────┐
//	          ▼                                                                │
//	submit → pending ── claimed by a worker ──► running ──► succeeded          │
//	          │                                   ├───────► failed ────────────┤
//	          └── cancel ──► canceled ◄── cancel ─┘            canceled ───────┘
//
// pending and running are live; the other three are ends, and only a retry leaves them. A job that is asked to cancel while
// it runs stays running, with CancelRequested set, until its worker has stopped.
//
// A record never holds a secret: no type of this package has a field for one, Spec.Validate refuses a body that carries
// one, and Redact takes them out of text that comes from elsewhere.
//
// Start reading in job.go.
package job
