package cli

import (
	"os"

	"github.com/spf13/cobra"
)

// Terminal is the terminal that the command reads from and writes to. ok is false when stdin or stdout is none.
func Terminal(cmd *cobra.Command) (in, out *os.File, ok bool) {
	in, _ = cmd.InOrStdin().(*os.File)
	out, _ = cmd.OutOrStdout().(*os.File)
	return in, out, in != nil && out != nil && isTerminalIn(in) && isTerminal(out)
}
