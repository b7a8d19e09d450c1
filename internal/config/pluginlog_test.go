package config

import (
	"os"
	"testing"
)

func TestQuietPluginLog(t *testing.T) {
	names := []string{"TF_LOG", "TF_LOG_PROVIDER", "TF_LOG_PROVIDER_HYPERSDK", "TF_LOG_SDK", "TF_LOG_SDK_FRAMEWORK", "TF_LOG_SDK_PROTO"}
	tests := map[string]struct{ set, value, want string }{
		"nobody asked":     {"", "", "WARN"},
		"TF_LOG":           {"TF_LOG", "TRACE", ""},
		"a provider's log": {"TF_LOG_PROVIDER_HYPERSDK", "DEBUG", "DEBUG"},
		"the SDK's log":    {"TF_LOG_SDK_PROTO", "TRACE", ""},
		"an empty value":   {"TF_LOG", "", "WARN"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			for _, n := range names {
				t.Setenv(n, "")
			}
			if tt.set != "" {
				t.Setenv(tt.set, tt.value)
			}
			if err := QuietPluginLog(); err != nil {
				t.Fatal(err)
			}
			if got := os.Getenv("TF_LOG_PROVIDER_HYPERSDK"); got != tt.want {
				t.Errorf("TF_LOG_PROVIDER_HYPERSDK is %q, want %q", got, tt.want)
			}
		})
	}
}
