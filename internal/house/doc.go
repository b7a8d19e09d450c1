// Package house holds the tests of the tree as a whole: the worst three ways to break the import table, each failing with
// its reason in words (the whole table is in .golangci.yml), and that the provider starts where nothing else is.
package house
