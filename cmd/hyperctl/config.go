package main

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/config"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

func configCommand() *cobra.Command {
	cmd := cli.Noun("config", "The vCenters that this user saved by name", configList(), configShow(), configSet(), configUse(), configDelete())
	cmd.Long = `The vCenters that this user saved by name.

They lie in hypersdk/config.yaml in the user's configuration directory (or in
the file that HYPERSDK_CONFIG_FILE names), readable for this user alone. A flag
wins over the environment, and that over the file. The current context is used
where neither a flag nor the environment names a server. No password is ever
printed. A system keyring is not used.`
	return cmd
}

// savedContext is a context as it is shown: without its password.
type savedContext struct {
	Name         string `json:"name"`
	Current      bool   `json:"current"`
	Server       string `json:"server"`
	Username     string `json:"username"`
	Password     string `json:"password"` // stored, file, or empty: the environment or a flag gives it
	PasswordFile string `json:"password_file"`
	CAFile       string `json:"ca_file"`
	Thumbprint   string `json:"thumbprint"`
	Insecure     bool   `json:"insecure"`
}

func newSavedContext(file *config.Contexts, name string) savedContext {
	c := file.Contexts[name]
	s := savedContext{
		Name: name, Current: name == file.Current, Server: c.Server, Username: c.Username,
		PasswordFile: c.PasswordFile, CAFile: c.CAFile, Thumbprint: c.Thumbprint, Insecure: c.Insecure,
	}
	switch {
	case c.Password != "":
		s.Password = "stored"
	case c.PasswordFile != "":
		s.Password = "file"
	}
	return s
}

func configList() *cobra.Command {
	cmd := &cobra.Command{Use: "list", Short: "List the saved vCenters", Example: "  hyperctl config list\n  hyperctl config -op list -json", Args: cli.NoArgs}
	out := cli.AddOutput(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := out.Check(); err != nil {
			return err
		}
		file, err := config.OpenContexts()
		if err != nil {
			return err
		}
		saved := []savedContext{}
		for _, name := range file.Names() {
			saved = append(saved, newSavedContext(file, name))
		}
		return out.Print(cmd.OutOrStdout(), cli.View{Value: saved, Table: contextsTable(saved)})
	}
	return cmd
}

func contextsTable(saved []savedContext) cli.Table {
	t := cli.Table{Columns: []cli.Column{{Name: " "}, {Name: "NAME"}, {Name: "SERVER"}, {Name: "USER"}, {Name: "PASSWORD"}, {Name: "TRUST", Wide: true}}}
	for _, s := range saved {
		mark := " "
		if s.Current {
			mark = "*"
		}
		t.Rows = append(t.Rows, []string{mark, s.Name, s.Server, s.Username, s.Password, trust(s)})
	}
	return t
}

func trust(s savedContext) string {
	switch {
	case s.Insecure:
		return "any certificate"
	case s.Thumbprint != "":
		return "thumbprint"
	case s.CAFile != "":
		return s.CAFile
	}
	return "the system's authorities"
}

func configShow() *cobra.Command {
	cmd := &cobra.Command{
		Use: "show [NAME]", Short: "Show one, without its password; the current one if none is named",
		Example: "  hyperctl config show\n  hyperctl config -op show -name prod", Args: cli.MaxArgs(1),
	}
	out := cli.AddOutput(cmd)
	name := contextName(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := out.Check(); err != nil {
			return err
		}
		file, err := config.OpenContexts()
		if err != nil {
			return err
		}
		if *name == "" && len(args) == 0 {
			*name = file.Current
		}
		wanted, err := savedName(file, *name, args)
		if err != nil {
			return err
		}
		s := newSavedContext(file, wanted)
		return out.Print(cmd.OutOrStdout(), cli.View{Value: s, Table: contextTable(s, file.Path())})
	}
	return cmd
}

func contextTable(s savedContext, path string) cli.Table {
	password := map[string]string{"stored": "stored in that file", "file": "in " + s.PasswordFile, "": "from the environment or a flag"}
	return cli.Details("Name", s.Name, "Current", yesNo(s.Current), "Server", s.Server, "User", s.Username,
		"Password", password[s.Password], "Trust", trust(s), "Saved in", path)
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// contextName gives cmd the name as a flag, and its completion.
func contextName(cmd *cobra.Command) *string {
	name := cmd.Flags().String("name", "", "the context's `NAME`, as a flag")
	cmd.ValidArgsFunction = cli.CompleteContexts
	// The name is right by construction.
	_ = cmd.RegisterFlagCompletionFunc("name", cli.CompleteContexts)
	return name
}

// savedName is the name of a context that the file has.
func savedName(file *config.Contexts, flag string, args []string) (string, error) {
	name, err := cli.Operand("context", flag, args)
	if err != nil {
		return "", err
	}
	if _, ok := file.Contexts[name]; !ok {
		return "", cli.Suggest(sdk.NotFoundf("context %q does not exist", name), name, file.Names())
	}
	return name, nil
}

func configUse() *cobra.Command {
	cmd := &cobra.Command{
		Use: "use NAME", Short: "Make one the current one",
		Example: "  hyperctl config use prod\n  hyperctl config -op use -name prod", Args: cli.MaxArgs(1),
	}
	name, dry := contextName(cmd), cli.AddDryRun(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return changeContexts(cmd, dry, func(file *config.Contexts) (string, error) {
			wanted, err := savedName(file, *name, args)
			file.Current = wanted
			return fmt.Sprintf("use %s at %s", wanted, file.Contexts[wanted].Server), err
		})
	}
	return cmd
}

func configDelete() *cobra.Command {
	cmd := &cobra.Command{
		Use: "delete NAME", Short: "Forget one",
		Example: "  hyperctl config delete old\n  hyperctl config -op delete -name old", Args: cli.MaxArgs(1),
	}
	name, dry := contextName(cmd), cli.AddDryRun(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return changeContexts(cmd, dry, func(file *config.Contexts) (string, error) {
			wanted, err := savedName(file, *name, args)
			file.Delete(wanted)
			return "forget " + wanted, err
		})
	}
	return cmd
}

func configSet() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "set NAME",
		Short: "Save a vCenter under a name, or change what is saved",
		Long: `Save a vCenter under a name, or change what is saved: what no flag names stays.

-password-file FILE remembers the file, which is read when it is needed;
-password-file - reads the password from stdin, or asks on a terminal, and
stores it. Without either the password comes from the environment.`,
		Example: `  hyperctl config set prod -server vc.example.com -username 'ops@vsphere.local' -password-file ~/.vc-password
  hyperctl config -op set -name lab -server lab:8989 -username admin -insecure -password-file -`,
		Args: cli.MaxArgs(1),
	}
	name := contextName(cmd)
	s := cli.AddSaved(cmd)
	dry := cli.AddDryRun(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		wanted, err := cli.Operand("context", *name, args)
		if err != nil {
			return err
		}
		return changeContexts(cmd, dry, func(file *config.Contexts) (string, error) {
			c, err := s.Change(file.Contexts[wanted])
			if err != nil {
				return "", err
			}
			return fmt.Sprintf("save %s at %s", wanted, c.Server), file.Set(wanted, c)
		})
	}
	return cmd
}

// changeContexts reads the file, changes it and writes it; or says what it would do.
func changeContexts(cmd *cobra.Command, dry *cli.DryRun, change func(*config.Contexts) (does string, err error)) error {
	file, err := config.OpenContexts()
	if err != nil {
		return err
	}
	does, err := change(file)
	if err != nil {
		return err
	}
	if *dry {
		fmt.Fprintf(cmd.OutOrStdout(), "would %s\n", sdk.Printable(does))
		return nil
	}
	if err := file.Save(); err != nil {
		return err
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "%s: %s\n", filepath.Base(file.Path()), sdk.Printable(does))
	return nil
}
