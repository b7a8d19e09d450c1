// Package config knows every setting of the commands and the provider, the variables that carry them and their defaults.
//
// It alone reads the environment. It opens no connection, reads no secret from a file and prints nothing. Doors lay their
// flags or attributes over what FromEnvironment returns: flag, then environment, then default. Start reading in settings.go.
package config
