// Package sdk holds the few words that every other package of this module says: kinds of error, findings, progress.
//
// It imports only the standard library, does no work and knows no vCenter, disk or hypervisor. Start reading in errors.go;
// the packages below this directory are the rooms where the work is done, and internal/sdk/migrate is the one that knows
// the order of a migration.
package sdk
