package cli

import (
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// maxConcurrent is more than any vCenter works on at once.
const maxConcurrent = 64

// Concurrent is the flag that says how many items of bulk work run at once.
type Concurrent int

// AddConcurrent gives cmd -max-concurrent.
func AddConcurrent(cmd *cobra.Command) *Concurrent {
	c := Concurrent(sdk.DefaultConcurrent)
	cmd.Flags().Var(&c, "max-concurrent", "`N` at once, 1 to 64 (default 5)")
	return &c
}

// Set parses the number.
func (c *Concurrent) Set(text string) error {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxConcurrent {
		return sdk.Invalidf("want a number from 1 to %d", maxConcurrent)
	}
	*c = Concurrent(n)
	return nil
}

func (c *Concurrent) String() string { return strconv.Itoa(int(*c)) }

// Type is the word for the value in the help.
func (c *Concurrent) Type() string { return "N" }

// BulkView is the summary of bulk work: what was done and what was not.
func BulkView(r *sdk.BulkResult) View {
	t := Table{Columns: []Column{{Name: "NAME"}, {Name: "STATUS"}, {Name: "TOOK", Right: true}, {Name: "MESSAGE"}}}
	for _, o := range r.Items {
		took := Took(time.Duration(o.TookSeconds * float64(time.Second)))
		t.Rows = append(t.Rows, []string{o.Name, string(o.Status), took, o.Message})
	}
	return View{Value: r, Table: t, Rows: r.Items}
}
