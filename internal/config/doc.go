// Package config knows every setting of the commands and the provider, the variables and the file that carry them and their
// defaults.
//
// It alone reads the environment. It opens no connection and prints nothing. Commands lay their flags over what Load returns:
// flag, then environment, then the file's context, then default. The provider reads no file: it lays its attributes over
// FromEnvironment. Start reading in settings.go; contexts.go is the file, merge.go the order.
package config
