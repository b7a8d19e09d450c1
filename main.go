// Command terraform-provider-hypersdk is the Terraform provider: it serves internal/provider and ends its sessions.
package main

import (
	"context"
	"flag"
	"log"
	runtimedebug "runtime/debug"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/config"
	hypersdk "github.com/hypersdk/terraform-provider-hypersdk/internal/provider"
)

// version is set by the release build.
var version = "dev"

// gcPercent trades processor time for memory. A hundred clones took 55 MiB with the runtime's own 100, of which 28 are the program's
// own pages, and take 48 with 65, for a twentieth more of the processor's time. A plugin sits beside Terraform on small CI machines.
// Another value in the environment's GOGC wins.
const gcPercent = 65

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
	saveMemory()
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

// saveMemory sets gcPercent unless the environment had set another than the runtime's own.
func saveMemory() {
	const usual = 100
	if was := runtimedebug.SetGCPercent(gcPercent); was != usual {
		runtimedebug.SetGCPercent(was)
	}
}
