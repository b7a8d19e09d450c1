//go:build !unix

package guest

import (
	"errors"
	"os"
)

// An appliance runs on Linux alone: Open has refused before anybody comes here.
func mkfifo(string) error { return errors.ErrUnsupported }

func openFIFO(string) (*os.File, error) { return nil, errors.ErrUnsupported }
