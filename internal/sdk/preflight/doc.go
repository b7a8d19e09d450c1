// Package preflight says what stands in the way of a migration before anything is touched: findings about the source VM, the
// KVM host and what the user asked for. A rule is a pure function from Input to findings; it asks nobody, so the same rules
// serve terraform plan, a dry run and the start of a migration, and a table test holds each of them.
//
// Start reading at check.go: its table is the list of all rules. A new rule is a function in the file of its family, a line
// in the table and a row in the test. Ids are stable, because users ignore findings by id.
package preflight
