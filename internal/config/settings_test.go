package config_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/config"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// clearEnv unsets every variable that the package reads.
func clearEnv(t *testing.T) {
	t.Helper()
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		for _, prefix := range []string{"HYPERSDK_", "GOVC_", "LIBVIRT_", "TERM"} {
			if strings.HasPrefix(name, prefix) {
				t.Setenv(name, "")
			}
		}
	}
}

func TestFromEnvironment(t *testing.T) {
	defaults := config.Settings{
		Libvirt: config.Libvirt{URI: "qemu:///system"},
		Talk:    config.Talk{LogLevel: "warn", Progress: "auto"},
	}
	tests := []struct {
		name string
		env  map[string]string
		want func(*config.Settings)
	}{
		{"nothing is set", nil, func(*config.Settings) {}},
		{
			"another tool's variables",
			map[string]string{
				"GOVC_URL": "vc.example.com", "GOVC_USERNAME": "u", "GOVC_PASSWORD": "p",
				"GOVC_INSECURE": "1", "GOVC_TLS_CA_CERTS": "/ca.pem", "LIBVIRT_DEFAULT_URI": "test:///default",
			},
			func(s *config.Settings) {
				s.VSphere = config.VSphere{URL: "https://vc.example.com", Username: "u", Password: "p", CAFile: "/ca.pem", Insecure: true}
				s.Libvirt.URI = "test:///default"
			},
		},
		{
			"ours win",
			map[string]string{
				"HYPERSDK_VSPHERE_SERVER": "ours:8443", "GOVC_URL": "theirs",
				"HYPERSDK_VSPHERE_USERNAME": "ours", "GOVC_USERNAME": "theirs",
				"HYPERSDK_VSPHERE_PASSWORD": "ours", "GOVC_PASSWORD": "theirs",
				"HYPERSDK_VSPHERE_CA_FILE": "/ours", "GOVC_TLS_CA_CERTS": "/theirs",
				"HYPERSDK_VSPHERE_INSECURE": "false", "GOVC_INSECURE": "true",
				"HYPERSDK_VSPHERE_THUMBPRINT": "AA:BB",
				"HYPERSDK_LIBVIRT_URI":        "qemu:///session", "LIBVIRT_DEFAULT_URI": "test:///default",
				"HYPERSDK_LOG_LEVEL": "debug", "HYPERSDK_PROGRESS": "none",
			},
			func(s *config.Settings) {
				s.VSphere = config.VSphere{URL: "https://ours:8443", Username: "ours", Password: "ours", CAFile: "/ours", Thumbprint: "AA:BB"}
				s.Libvirt.URI = "qemu:///session"
				s.Talk = config.Talk{LogLevel: "debug", Progress: "none"}
			},
		},
		{
			"user info in the URL", map[string]string{"GOVC_URL": "https://u:p@vc.example.com/sdk"},
			func(s *config.Settings) {
				s.VSphere = config.VSphere{URL: "https://vc.example.com/sdk", Username: "u", Password: "p"}
			},
		},
		{
			"a variable of its own wins over user info in the URL",
			map[string]string{"GOVC_URL": "u:p@vc", "GOVC_PASSWORD": "other"},
			func(s *config.Settings) {
				s.VSphere = config.VSphere{URL: "https://vc", Username: "u", Password: "other"}
			},
		},
		{"dumb terminal", map[string]string{"TERM": "dumb"}, func(s *config.Settings) { s.Talk.Progress = "plain" }},
		{"dumb terminal, but asked", map[string]string{"TERM": "dumb", "HYPERSDK_PROGRESS": "auto"}, func(*config.Settings) {}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			clearEnv(t)
			for name, value := range tt.env {
				t.Setenv(name, value)
			}
			got, err := config.FromEnvironment()
			if err != nil {
				t.Fatal(err)
			}
			want := defaults
			tt.want(&want)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("settings (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFromEnvironment_NamesTheVariableAndHidesTheValue(t *testing.T) {
	tests := map[string]string{
		"GOVC_URL":                  "ftp://user:hunter2@vc",
		"HYPERSDK_VSPHERE_SERVER":   "user:hunter2@:443",
		"GOVC_INSECURE":             "hunter2",
		"HYPERSDK_VSPHERE_INSECURE": "yes-hunter2",
	}
	for name, value := range tests {
		t.Run(name, func(t *testing.T) {
			clearEnv(t)
			t.Setenv(name, value)
			_, err := config.FromEnvironment()
			if !errors.Is(err, sdk.ErrInvalid) || !strings.Contains(err.Error(), name) {
				t.Errorf("error = %v; want an invalid one that names %s", err, name)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error shows the value: %v", err)
			}
		})
	}
}

func TestParseServer(t *testing.T) {
	tests := []struct {
		in   string
		want config.Server
	}{
		{"", config.Server{}},
		{"vc", config.Server{URL: "https://vc"}},
		{"vc:8989", config.Server{URL: "https://vc:8989"}},
		{"10.0.0.1", config.Server{URL: "https://10.0.0.1"}},
		{"[fe80::1]:443", config.Server{URL: "https://[fe80::1]:443"}},
		{"http://vc/sdk/", config.Server{URL: "http://vc/sdk"}},
		{"https://vc/proxy/sdk", config.Server{URL: "https://vc/proxy/sdk"}},
		{"u@vc", config.Server{URL: "https://vc", Username: "u"}},
		{"administrator@vsphere.local:p@ss@vc:443/sdk", config.Server{URL: "https://vc:443/sdk", Username: "administrator@vsphere.local", Password: "p@ss"}},
		{`CORP\joe:a/b?c#d@vc`, config.Server{URL: "https://vc", Username: `CORP\joe`, Password: "a/b?c#d"}},
		{"u%40corp:p%3Aw@vc", config.Server{URL: "https://vc", Username: "u@corp", Password: "p:w"}},
		{"u:100%@vc", config.Server{URL: "https://vc", Username: "u", Password: "100%"}},
	}
	for _, tt := range tests {
		got, err := config.ParseServer(tt.in)
		if err != nil || got != tt.want {
			t.Errorf("ParseServer(%q) = %+v, %v; want %+v", tt.in, got, err, tt.want)
		}
	}
}

func TestParseServer_Refuses(t *testing.T) {
	for _, in := range []string{"ftp://vc", "https://", "u:p@", "vc:0", "vc:99999", "vc:port", "v c", "fe80::1", "vc/sdk?x=1", "vc#f", "vc\n", "%zz"} {
		if got, err := config.ParseServer(in); !errors.Is(err, sdk.ErrInvalid) {
			t.Errorf("ParseServer(%q) = %+v, %v; want an invalid one", in, got, err)
		}
	}
}

func FuzzParseServer(f *testing.F) {
	for _, seed := range []string{"", "vc", "u:p@vc:443/sdk", "https://[::1]", "a@b@c/d@e"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		got, err := config.ParseServer(in)
		if err != nil || in == "" {
			return
		}
		again, err := config.ParseServer(got.URL)
		if err != nil || again.URL != got.URL || again.Username != "" || again.Password != "" {
			t.Errorf("ParseServer(%q) = %+v, which reads as %+v, %v", in, got, again, err)
		}
	})
}

func TestRuntimeDir(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", "/run/user/7")
	if got := config.RuntimeDir(); got != "/run/user/7" {
		t.Errorf("RuntimeDir() = %q", got)
	}
	t.Setenv("XDG_RUNTIME_DIR", "")
	if got := config.RuntimeDir(); got != os.TempDir() {
		t.Errorf("RuntimeDir() = %q; want the directory for temporary files", got)
	}
}
