package cli_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// terminal opens a pair: what a person types at and the terminal that the program sees.
func terminal(t *testing.T) (person, program *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(person.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(person.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(program.Close(), person.Close()); err != nil {
			t.Error(err)
		}
	})
	return person, program
}

func TestConsent_AsksOnATerminal(t *testing.T) {
	tests := []struct {
		word, typed string
		ok          bool
	}{
		{"", "y", true},
		{"", "YES", true},
		{"", "", false},
		{"", "n", false},
		{"delete 3", "delete 3", true},
		{"delete 3", "y", false},
		{"delete 3", "delete 2", false},
	}
	for _, tt := range tests {
		person, program := terminal(t)
		cmd := &cobra.Command{Use: "x"}
		cmd.SetIn(program)
		cmd.SetErr(program)
		if _, err := person.WriteString(tt.typed + "\n"); err != nil {
			t.Fatal(err)
		}
		err := cli.AddConsent(cmd).Ask(t.Context(), "Delete 3 VMs?", tt.word)
		if (err == nil) != tt.ok || !tt.ok && !errors.Is(err, sdk.ErrConflict) {
			t.Errorf("word %q, typed %q: %v", tt.word, tt.typed, err)
		}
		line, err := bufio.NewReader(person).ReadString('?')
		if err != nil || !strings.Contains(line, "Delete 3 VMs?") {
			t.Errorf("the terminal shows %q, %v", line, err)
		}
	}
}

func TestConsent_ShowsWhatItIsAboutAlsoWhereItRefuses(t *testing.T) {
	var talk strings.Builder
	cmd := &cobra.Command{Use: "x"}
	cmd.SetIn(strings.NewReader(""))
	cmd.SetErr(&talk)
	consent := cli.AddConsent(cmd)
	show := func(w io.Writer) error {
		_, err := io.WriteString(w, "web-01\n")
		return err
	}
	if err := consent.Confirm(t.Context(), "Delete it?", "", show); !errors.Is(err, sdk.ErrInvalid) || talk.String() != "web-01\n" {
		t.Errorf("got %v after %q", err, talk.String())
	}
	talk.Reset()
	if err := cmd.ParseFlags([]string{"--yes"}); err != nil {
		t.Fatal(err)
	}
	if err := consent.Confirm(t.Context(), "Delete it?", "", show); err != nil || talk.String() != "" {
		t.Errorf("with -yes: got %v after %q", err, talk.String())
	}
}

func TestConsent_AnInterruptEndsTheQuestion(t *testing.T) {
	_, program := terminal(t)
	cmd := &cobra.Command{Use: "x"}
	cmd.SetIn(program)
	cmd.SetErr(program)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := cli.AddConsent(cmd).Ask(ctx, "Delete 3 VMs?", ""); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v", err)
	}
}
