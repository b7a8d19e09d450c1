package cli_test

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/config"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// connection parses the flags in an environment with a complete vCenter, changed by env.
func connection(t *testing.T, env map[string]string, stdin string, args ...string) (config.VSphere, error) {
	t.Helper()
	for _, entry := range os.Environ() {
		if name, _, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "HYPERSDK_") || strings.HasPrefix(name, "GOVC_") {
			t.Setenv(name, "")
		}
	}
	t.Setenv("HYPERSDK_CONFIG_FILE", filepath.Join(t.TempDir(), "none"))
	t.Setenv("GOVC_URL", "env")
	t.Setenv("GOVC_USERNAME", "env-user")
	t.Setenv("GOVC_PASSWORD", "env-password")
	for name, value := range env {
		t.Setenv(name, value)
	}
	cmd := &cobra.Command{Use: "x"}
	cmd.SetIn(strings.NewReader(stdin))
	conn := cli.AddConnection(cmd)
	if err := cmd.ParseFlags(args); err != nil {
		t.Fatal(err)
	}
	s, err := conn.Settings()
	return s.VSphere, err
}

func TestConnection_FlagsWinOverTheEnvironment(t *testing.T) {
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte("file-password\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := config.VSphere{URL: "https://env", Username: "env-user", Password: "env-password"}
	tests := []struct {
		name  string
		env   map[string]string
		stdin string
		args  []string
		want  func(*config.VSphere)
	}{
		{name: "no flags", want: func(*config.VSphere) {}},
		{name: "server", args: []string{"--server", "flag:8443"}, want: func(v *config.VSphere) { v.URL = "https://flag:8443" }},
		{name: "server with a user", args: []string{"--server", "me@flag"}, want: func(v *config.VSphere) {
			v.URL, v.Username = "https://flag", "me"
		}},
		{name: "user", args: []string{"--username", "me"}, want: func(v *config.VSphere) { v.Username = "me" }},
		{name: "password file", args: []string{"--password-file", file}, want: func(v *config.VSphere) { v.Password = "file-password" }},
		{name: "password on stdin", stdin: "typed\r\n", args: []string{"--password-file", "-"}, want: func(v *config.VSphere) { v.Password = "typed" }},
		{
			name: "a trust flag replaces what the environment trusts", env: map[string]string{"GOVC_INSECURE": "1", "GOVC_TLS_CA_CERTS": "/env.pem"},
			args: []string{"--thumbprint", "AA"}, want: func(v *config.VSphere) { v.Thumbprint = "AA" },
		},
		{name: "insecure off", env: map[string]string{"GOVC_INSECURE": "1"}, args: []string{"--insecure=false"}, want: func(*config.VSphere) {}},
		{name: "insecure on", args: []string{"--insecure"}, want: func(v *config.VSphere) { v.Insecure = true }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := connection(t, tt.env, tt.stdin, tt.args...)
			if err != nil {
				t.Fatal(err)
			}
			want := env
			tt.want(&want)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("settings (-want +got):\n%s", diff)
			}
		})
	}
}

func TestConnection_Refuses(t *testing.T) {
	big := filepath.Join(t.TempDir(), "big")
	if err := os.WriteFile(big, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		env  map[string]string
		args []string
		kind error
		want string
	}{
		{"no server", map[string]string{"GOVC_URL": ""}, nil, sdk.ErrInvalid, "no vCenter is given"},
		{"no user", map[string]string{"GOVC_USERNAME": ""}, nil, sdk.ErrInvalid, "no user is given for https://env"},
		{"no password", map[string]string{"GOVC_PASSWORD": ""}, nil, sdk.ErrInvalid, "no password is given for env-user"},
		{"password in an argument", nil, []string{"--server", "u:hunter2@h"}, sdk.ErrInvalid, "can be seen by every user"},
		{"server that is none", nil, []string{"--server", "a b"}, sdk.ErrInvalid, "--server:"},
		{"password file missing", nil, []string{"--password-file", "/nowhere"}, sdk.ErrNotFound, "/nowhere"},
		{"password file is a directory", nil, []string{"--password-file", "/"}, sdk.ErrInvalid, "--password-file"},
		{"password file empty", nil, []string{"--password-file", "-"}, sdk.ErrInvalid, "holds no password"},
		{"password file too big", nil, []string{"--password-file", big}, sdk.ErrInvalid, "more than a password"},
		{"bad environment", map[string]string{"GOVC_INSECURE": "maybe"}, nil, sdk.ErrInvalid, "GOVC_INSECURE"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := connection(t, tt.env, "", tt.args...)
			if !errors.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v; want %v that says %q", err, tt.kind, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error shows the password: %v", err)
			}
		})
	}
}

const contexts = `current: dev
contexts:
  dev:
    server: dev.example.com
    username: dev-user
    password: dev-password
    ca_file: /dev.pem
  prod:
    server: prod.example.com:8443
    username: prod-user
    password_file: PASSWORDS
`

func TestConnection_ContextsStandBelowTheEnvironmentAndFlags(t *testing.T) {
	password := filepath.Join(t.TempDir(), "password")
	file := filepath.Join(t.TempDir(), "config.yaml")
	if err := errors.Join(os.WriteFile(password, []byte("prod-password\n"), 0o600),
		os.WriteFile(file, []byte(strings.ReplaceAll(contexts, "PASSWORDS", password)), 0o600)); err != nil {
		t.Fatal(err)
	}
	dev := config.VSphere{URL: "https://dev.example.com", Username: "dev-user", Password: "dev-password", CAFile: "/dev.pem"}
	prod := config.VSphere{URL: "https://prod.example.com:8443", Username: "prod-user", Password: "prod-password"}
	bare := map[string]string{"GOVC_URL": "", "GOVC_USERNAME": "", "GOVC_PASSWORD": ""}
	tests := []struct {
		name string
		env  map[string]string
		args []string
		want config.VSphere
	}{
		{"the current one", nil, nil, dev},
		{"the flag", nil, []string{"--context", "prod"}, prod},
		{"the variable", map[string]string{"HYPERSDK_CONTEXT": "prod"}, nil, prod},
		{"the flag over the variable", map[string]string{"HYPERSDK_CONTEXT": "prod"}, []string{"--context", "dev"}, dev},
		{
			"a server in the environment leaves the file alone", map[string]string{"GOVC_URL": "env", "GOVC_USERNAME": "u", "GOVC_PASSWORD": "p"}, nil,
			config.VSphere{URL: "https://env", Username: "u", Password: "p"},
		},
		{
			"the flag over a server in the environment, whose credentials stay at home",
			map[string]string{"GOVC_URL": "env", "GOVC_USERNAME": "u", "GOVC_PASSWORD": "p", "GOVC_INSECURE": "1"}, []string{"--context", "prod"}, prod,
		},
		{"a password in the environment", map[string]string{"GOVC_PASSWORD": "p"}, nil, config.VSphere{
			URL: dev.URL, Username: "dev-user", Password: "p", CAFile: "/dev.pem",
		}},
		{"another user with a password", map[string]string{"GOVC_USERNAME": "u", "GOVC_PASSWORD": "p"}, nil, config.VSphere{
			URL: dev.URL, Username: "u", Password: "p", CAFile: "/dev.pem",
		}},
		{"trust in the environment", map[string]string{"HYPERSDK_VSPHERE_THUMBPRINT": "AA"}, nil, config.VSphere{
			URL: dev.URL, Username: "dev-user", Password: "dev-password", Thumbprint: "AA",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			env := map[string]string{"HYPERSDK_CONFIG_FILE": file}
			maps.Copy(env, bare)
			maps.Copy(env, tt.env)
			got, err := connection(t, env, "", tt.args...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("settings (-want +got):\n%s", diff)
			}
		})
	}
}

func TestConnection_RefusesContexts(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(contexts, "PASSWORDS", "/nowhere")), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		env  map[string]string
		args []string
		kind error
		want string
	}{
		{"unknown", nil, []string{"--context", "prd"}, sdk.ErrNotFound, `context "prd" does not exist`},
		{"unknown in the variable", map[string]string{"HYPERSDK_CONTEXT": "x", "GOVC_URL": ""}, nil, sdk.ErrNotFound, `context "x" does not exist`},
		{"empty", nil, []string{"--context", ""}, sdk.ErrInvalid, "names none"},
		{"two ways to say where", nil, []string{"--context", "dev", "--server", "x"}, sdk.ErrInvalid, "choose one"},
		{"two servers in the environment", map[string]string{"HYPERSDK_CONTEXT": "dev"}, nil, sdk.ErrInvalid, "HYPERSDK_CONTEXT names dev"},
		{"its password is for its user alone", nil, []string{"--context", "dev", "--username", "me"}, sdk.ErrInvalid, "no password is given for me"},
		{"password file is gone", nil, []string{"--context", "prod"}, sdk.ErrNotFound, `the password of context "prod"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			env := map[string]string{"HYPERSDK_CONFIG_FILE": file}
			maps.Copy(env, tt.env)
			_, err := connection(t, env, "", tt.args...)
			if !errors.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v; want %v that says %q", err, tt.kind, tt.want)
			}
		})
	}
}
