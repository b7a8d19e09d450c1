// Package notify tells people and programs that a job has ended: by mail over SMTP and by signed webhooks. It refuses to send
// a password or a record over a connection that others can read, unless that connection stays on this machine.
//
// It keeps nothing and repeats little: the queue's outbox calls a sink again when it answers sdk.ErrUnavailable. Start reading in
// notify.go.
package notify
