// Package migration is what the commands share that plan or run one: the connections, the map of networks and the plan as text.
//
// It parses no command line of its own and prints nothing by itself. Start reading in plan.go.
package migration
