package config

import (
	"os"
	"strings"
)

// QuietPluginLog keeps the plugin's libraries from writing trace lines that nobody asked for: Terraform reads and drops each one, and
// together they are a quarter of the provider's CPU. With TF_LOG, or any variable of TF_LOG_PROVIDER and TF_LOG_SDK, nothing is changed.
func QuietPluginLog() error {
	for _, variable := range os.Environ() {
		name, value, _ := strings.Cut(variable, "=")
		if value != "" && (name == "TF_LOG" || strings.HasPrefix(name, "TF_LOG_PROVIDER") || strings.HasPrefix(name, "TF_LOG_SDK")) {
			return nil
		}
	}
	for _, name := range []string{"TF_LOG_SDK", "TF_LOG_SDK_FRAMEWORK", "TF_LOG_SDK_PROTO", "TF_LOG_PROVIDER_HYPERSDK"} {
		if err := os.Setenv(name, "WARN"); err != nil {
			return err
		}
	}
	return nil
}
