// Package cli is what the commands share: both flag styles, connection flags, tables and JSON, progress, logging, exit codes.
//
// It knows no vCenter and no migration, opens no connection and never exits the process: main does, with what Main returns.
// stdout is data and stderr is talk. Start reading in main.go; argv.go makes -op list, --op list and the verb as a word the
// same thing.
package cli
