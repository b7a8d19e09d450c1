// Command terraform-provider-hypersdk is the Terraform provider: it serves internal/provider and ends its sessions.
package main

import (
	"context"
	"flag"
	"log"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/config"
	hypersdk "github.com/hypersdk/terraform-provider-hypersdk/internal/provider"
)

// version is set by the release build.
var version = "dev"

// logoutIn bounds the goodbye: Terraform kills a plugin about two seconds after it told it to stop.
const logoutIn = time.Second

func main() {
	debug := flag.Bool("debug", false, "serve for a debugger: print TF_REATTACH_PROVIDERS and wait")
	flag.Parse()
	if err := serve(*debug); err != nil {
		log.Fatal(err)
	}
}

func serve(debug bool) error {
	if !debug {
		if err := config.QuietPluginLog(); err != nil {
			return err
		}
	}
	p := hypersdk.New(version)
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), logoutIn)
		defer cancel()
		p.Close(ctx)
	}()
	return providerserver.Serve(context.Background(), func() provider.Provider { return p }, providerserver.ServeOpts{
		Address: "registry.terraform.io/hypersdk/hypersdk",
		Debug:   debug,
	})
}
