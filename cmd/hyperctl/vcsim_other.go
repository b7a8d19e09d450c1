//go:build !unix

package main

import (
	"context"
	"io"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

func detachVCSim(context.Context, demo.Options, io.Writer, io.Writer) error { return errNoBackground() }
func stopVCSim(context.Context, io.Writer) error                            { return errNoBackground() }
func vcsimStatus(io.Writer, io.Writer) error                                { return errNoBackground() }
func serveDetached(context.Context, io.Reader, io.Writer) error             { return errNoBackground() }

func errNoBackground() error {
	return sdk.WithHint(sdk.Invalidf("vcsim cannot go to the background on this system"), "run hyperctl vcsim in a terminal of its own")
}
