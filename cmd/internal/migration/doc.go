// Package migration is what the commands share that plan or run one: the options of their command lines and the spec that these
// mean, the connections, the run with its progress, and plan and summary as text.
//
// Start reading in options.go. It opens no terminal and ends no process.
package migration
